/**
 * Reads the device_id of the Open-Xchange mobile apps (protocol `mobileapi`). Pure; any text is accepted.
 *
 * Form: `BRAND.OS.APP/VERSION (OS: VERSION; device: NAME)`, for example
 * `OpenXchange.iOS.Mail/1.0.3 (OS: 10.0.3; device: iPhone 7 Plus)`.
 */

export interface MobileAppId {
  /** Each is `''` where the text does not say it. */
  readonly brand: string
  readonly os: string
  readonly name: string
  readonly major: string
  readonly minor: string
  readonly osMajor: string
  readonly osMinor: string
  readonly device: string
}

const APP = /^([^.]*)\.([^.]*)\.(.*?)\/(\d{1,20})(?:\.(\d{1,20}))?/s
const OS_VERSION = /OS:\s{0,20}(\d{1,20})(?:\.(\d{1,20}))?/
/** To the end of the remark or the next part of it: names such as `iPhone14,2` keep their comma. */
const DEVICE = /device:\s{0,20}([^;)]*)/

export function parseMobileAppId(deviceId: string): MobileAppId {
  const [, brand = '', os = '', name = '', major = '', minor = ''] = APP.exec(deviceId) ?? []
  const [, osMajor = '', osMinor = ''] = OS_VERSION.exec(deviceId) ?? []
  const [, device = ''] = DEVICE.exec(deviceId) ?? []
  return { brand, os, name, major, minor, osMajor, osMinor, device: device.trim() }
}
