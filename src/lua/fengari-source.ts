/**
 * Changes to fengari's source text while it is loaded, for what cannot be replaced from outside. Used by fengari.ts alone.
 *
 * Emptied slots: fengari empties slots of its stack with `delete`, some seventy times for a small policy. For V8 that is a
 * call into its runtime each, a tenth of what such a policy takes; writing undefined does the same, since nothing asks
 * whether a slot is there.
 *
 * Kept slots: it makes a value object for every slot of every function that is called, throws all of them away when that
 * returns, and those above the arguments with each call. They stay, and whoever needs these slots next sets them to nil.
 * Nobody else holds one then: an upvalue took its own away when its block or function ended (luaF_close). What is left in
 * them is let go when the call from outside ends (calls.ts).
 *
 * Dead keys: a table has a second map, for keys that were removed while pairs() stood at them, and clears it with each key that
 * is added, which is a call into V8's runtime as well. It gets one when the first key dies.
 */
import { registerHooks } from 'node:module'

const FENGARI_FILE = /\/fengari\/src\/([^/]+)\.js$/
const DELETE_SLOT = /delete ((?:L|from)\.stack\[[^;\n]+\]);/g

interface Change {
  readonly from: string
  readonly to: string
}

const CHANGES: Readonly<Record<string, readonly Change[]>> = {
  ldo: [
    {
      from: `        while (L.top < newtop)
            L.stack[L.top++] = new lobject.TValue(LUA_TNIL, null);
    } else {
        while (L.top > newtop)
            delete L.stack[--L.top];
    }`,
      to: `        while (L.top < newtop) {
            const slot = L.stack[L.top];
            if (slot === void 0) L.stack[L.top] = new lobject.TValue(LUA_TNIL, null);
            else slot.setnilvalue();
            L.top += 1;
        }
    } else {
        L.top = newtop;
    }`,
    },
    {
      from: `    for (let i=L.top; i>=newtop; i--)
        delete L.stack[i];`,
      to: '',
    },
  ],
  ltable: [
    { from: 'this.dead_strong = new Map();', to: 'this.dead_strong = void 0;' },
    { from: 't.dead_strong.clear();', to: 't.dead_strong = void 0;' },
    { from: 't.dead_strong.set(hash, e);', to: '(t.dead_strong ??= new Map()).set(hash, e);' },
    { from: '|| table.dead_strong.get(hash)', to: '|| (table.dead_strong && table.dead_strong.get(hash))' },
  ],
}

/** Runs `load`, in which fengari is required for the first time. */
export function withPatchedSource<T>(load: () => T): T {
  const hooks = registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const [, name] = FENGARI_FILE.exec(url) ?? []
      if (name === undefined || loaded.source === undefined || loaded.source === null) return loaded
      const changed = (CHANGES[name] ?? []).reduce(applyChange, textOf(loaded.source))
      return { ...loaded, source: changed.replaceAll(DELETE_SLOT, '$1 = void 0;') }
    },
  })
  try {
    return load()
  } finally {
    hooks.deregister()
  }
}

function applyChange(source: string, { from, to }: Change): string {
  if (!source.includes(from)) throw new TypeError(`this version of fengari has no ${JSON.stringify(from)}`)
  return source.replace(from, () => to)
}

function textOf(source: string | ArrayBuffer | NodeJS.TypedArray): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source)
}
