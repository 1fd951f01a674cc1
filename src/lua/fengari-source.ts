/**
 * Changes to fengari's source text while it is loaded, for what cannot be replaced from outside. Used by fengari.ts alone.
 *
 * fengari empties slots of its stack with `delete`, some seventy times for a small policy. For V8 that is a call into its
 * runtime each, a tenth of what such a policy takes; writing undefined does the same, since nothing asks whether a slot is
 * there.
 *
 * It also makes a value object for every slot of every function that is called, and throws all of them away when that returns.
 * They stay, and the next function that needs these slots sets them to nil. Nobody else holds one then: an upvalue that was
 * open took it away when the function returned (luaF_close). What is left in them is let go when the call from outside ends
 * (calls.ts).
 */
import { registerHooks } from 'node:module'

const FENGARI_FILE = /\/fengari\/src\/[^/]+\.js$/
const DELETE_SLOT = /delete ((?:L|from)\.stack\[[^;\n]+\]);/g
const CALLS_FILE = /\/ldo\.js$/
/** Of a function that is called, and of one that returns. */
const NEW_SLOTS = 'L.stack[L.top++] = new lobject.TValue(LUA_TNIL, null);\n    } else {'
const KEPT_SLOTS = `{
                const slot = L.stack[L.top];
                if (slot === void 0) L.stack[L.top] = new lobject.TValue(LUA_TNIL, null);
                else slot.setnilvalue();
                L.top += 1;
            }
    } else {`
const EMPTIED_SLOTS = /for \(let i=L\.top; i>=newtop; i--\)\s+delete L\.stack\[i\];/

/** Runs `load`, in which fengari is required for the first time. */
export function withPatchedSource<T>(load: () => T): T {
  const hooks = registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (!FENGARI_FILE.test(url) || loaded.source === undefined || loaded.source === null) return loaded
      const source = CALLS_FILE.test(url) ? keepSlots(textOf(loaded.source)) : textOf(loaded.source)
      return { ...loaded, source: source.replaceAll(DELETE_SLOT, '$1 = void 0;') }
    },
  })
  try {
    return load()
  } finally {
    hooks.deregister()
  }
}

function keepSlots(source: string): string {
  if (!source.includes(NEW_SLOTS) || !EMPTIED_SLOTS.test(source))
    throw new TypeError('this version of fengari empties its stack in another way')
  return source.replace(NEW_SLOTS, KEPT_SLOTS).replace(EMPTIED_SLOTS, '')
}

function textOf(source: string | ArrayBuffer | NodeJS.TypedArray): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source)
}
