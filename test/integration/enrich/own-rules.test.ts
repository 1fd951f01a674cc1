import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadDeviceRules } from '../../../src/enrich/device/device-rules.ts'
import { matchUserAgent } from '../../../src/enrich/device/match-user-agent.ts'
import { createRuleList } from '../../../src/enrich/device/rule-list.ts'
import { parseRulesFile } from '../../../src/enrich/device/rules-file.ts'

const path = fileURLToPath(new URL('../../../regexes.yaml', import.meta.url))

/** A user agent, and what comes out: program, system, device, each with its version or model after a space or bar. */
type Line = readonly [userAgent: string, agent: string, os?: string, device?: string]

const CHROME =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36'
const WINDOWS =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.1.2 Safari/537.36'

const ACTIVE_SYNC: readonly Line[] = [
  ['Apple-iPhone14C2/2004.71', 'Apple Mail (ActiveSync)', 'iOS 16', 'iPhone|Apple|iPhone14,2'],
  ['Apple-iPhone6C1/1202.411', 'Apple Mail (ActiveSync)', 'iOS 8', 'iPhone|Apple|iPhone6,1'],
  ['Apple-iPhone8C1/1301.344', 'Apple Mail (ActiveSync)', 'iOS 9'],
  ['Apple-iPhone9C3/1402.100', 'Apple Mail (ActiveSync)', 'iOS 10'],
  ['Apple-iPhone8C4/1504.100', 'Apple Mail (ActiveSync)', 'iOS 11'],
  ['Apple-iPad7C5/1605.227', 'Apple Mail (ActiveSync)', 'iOS 12', 'iPad|Apple|iPad7,5'],
  ['Apple-iPhone12C1/1705.255', 'Apple Mail (ActiveSync)', 'iOS 13'],
  ['Apple-iPhone13C2/1808.17', 'Apple Mail (ActiveSync)', 'iOS 14'],
  ['Apple-iPod9C1/1904.52', 'Apple Mail (ActiveSync)', 'iOS 15', 'iPod|Apple|iPod9,1'],
  ['Apple-iPad13C16/2103.66', 'Apple Mail (ActiveSync)', 'iOS 17'],
  ['Apple-iPhone17C1/2202.91', 'Apple Mail (ActiveSync)', 'iOS 18'],
  ['Apple-iPhone18C2/2301.341', 'Apple Mail (ActiveSync)', 'iOS 26'],
  ['Apple-iPhone3C1/902.206', 'Apple Mail (ActiveSync)', 'iOS'],
  ['Android-Mail/2024.01.14.601243442.Release', 'Gmail (ActiveSync) 2024.01.14', 'Android'],
  ['Android/7.1.2-EAS-2.0', 'Android Email (ActiveSync) 2.0', 'Android 7.1.2'],
  ['Android-EAS/0.1', 'Android Email (ActiveSync) 0.1', 'Android'],
  [
    'SAMSUNG-SM-G900V/101.40402',
    'Samsung Email (ActiveSync)',
    'Android',
    'Samsung SM-G900V|Samsung|SM-G900V',
  ],
  ['Outlook-Android/2.0', 'Outlook-Android 2.0', 'Android'],
  ['Outlook/16.0 (16.0.4266.1001; C2R; x64)', 'Outlook (ActiveSync) 16.0'],
  ['MSFT-WIN-3/10.0.19041', 'Windows Mail (ActiveSync) 10.0.19041', 'Windows 10'],
  ['MSFT-WP/8.10.14219', 'Windows Phone Mail (ActiveSync)', 'Windows Phone 8.10'],
  ['MSFT-PPC/5.2.5082', 'Windows Phone Mail (ActiveSync)', 'Windows Mobile'],
  ['TouchDown(MSRPC)/7.1.0005', 'TouchDown 7.1.0005'],
  [
    'RIM-Q10-SQN100-3/10.2.1.2179',
    'BlackBerry Mail (ActiveSync)',
    'BlackBerry OS 10.2.1',
    'BlackBerry Q10|BlackBerry|Q10',
  ],
  ['OutlookMobileCloudService-Autodetect/1.0.0', 'OutlookMobileCloudService-Autodetect 1.0.0'],
]

const CALENDARS: readonly Line[] = [
  [
    'CardDAV-Sync free/0.4.20 (Android) (like iOS/5.0.1 (9A405) dataaccessd/1.0) gzip',
    'CardDAV-Sync 0.4.20',
    'Android',
  ],
  ['CalDAV-Sync (Android) (like iOS/5.0.1 (9A405) dataaccessd/1.0) gzip', 'CalDAV-Sync', 'Android'],
  ['iOS/17.2.1 (21C66) dataaccessd/1.0', 'dataaccessd 1.0', 'iOS 17.2.1', 'iOS-Device|Apple|iOS-Device'],
  ['iOS/16.1 (20B82) accountsd/1.0', 'accountsd 1.0', 'iOS 16.1'],
  ['macOS/14.2.1 (23C71) CalendarAgent/1204', 'CalendarAgent 1204', 'Mac OS X 14.2.1', 'Mac|Apple|Mac'],
  ['Mac OS X/10.9.1 (13B42) AddressBook/1365', 'AddressBook 1365', 'Mac OS X 10.9.1'],
  ['DAVx5/4.3.13-ose (2024/01/09; dav4jvm; okhttp/4.12.0) Android/14', 'DAVx5 4.3.13', 'Android 14'],
  ['CalDavSynchronizer/4.4', 'CalDavSynchronizer 4.4'],
  ['vdirsyncer/0.19.2', 'vdirsyncer 0.19.2'],
  ['davfs2/1.6.1 neon/0.32.5', 'davfs2 1.6.1'],
  ['Microsoft-WebDAV-MiniRedir/10.0.19045', 'Microsoft-WebDAV-MiniRedir 10.0.19045', 'Windows 10'],
  ['Evolution/3.44.4', 'Evolution 3.44.4'],
]

const MAIL: readonly Line[] = [
  [
    'Mac OS X/10.8.4 (12E55); ExchangeWebServices/3.0.1 (161); Mail/6.5 (1508)',
    'Apple Mail 6.5',
    'Mac OS X 10.8.4',
  ],
  ['MobileMail/605.1 CFNetwork/1494.0.7 Darwin/23.4.0', 'Apple Mail 605.1', 'iOS 17.4'],
  ['Mail/3826.400.131 CFNetwork/3826.400.120 Darwin/24.3.0', 'Apple Mail 3826.400.131', 'iOS 18.3'],
  ['Mail/3864.100.1 CFNetwork/3860.100.1 Darwin/25.0.0', 'Apple Mail 3864.100.1', 'iOS 26.0'],
  ['eM Client/9.2.2157.0', 'eM Client 9.2.2157'],
  ['FairEmail/1.2137', 'FairEmail 1.2137'],
  ['eu.faircode.email/1.2137', 'FairEmail 1.2137'],
  [CHROME.replace('Chrome', 'Mailspring/1.13.3 Chrome'), 'Mailspring 1.13.3', 'Linux'],
  ['BlueMail/1.9.8', 'BlueMail 1.9.8'],
  [
    'MacOutlook/16.78.23100802 (Intelx64 Mac OS X Version 13.6 (Build 22G120))',
    'MacOutlook 16.78',
    'Mac OS X 13.6',
  ],
  ['Open-Xchange USM HTTP Client', 'Open-Xchange USM HTTP Client'],
]

const BROWSERS: readonly Line[] = [
  [`${CHROME} AVG/121.0.5.1`, 'AVG 121.0.5', 'Linux'],
  [`${CHROME} OculusBrowser/36.6.0.9.50`, 'Oculus Browser 36.6.0'],
  [`${CHROME} baiduboxapp/15.8.0.10`, 'Baidu Explorer 15.8.0'],
  [`${CHROME} OPX/3.1`, 'Opera GX 3.1'],
  [`${CHROME} OPT/2.9`, 'Opera Touch 2.9'],
  [`${CHROME} RuxitSynthetic/1.0 v109`, 'Ruxit Synthetic 1.0'],
  [`${CHROME} UCMobile/15.0.7.1383`, 'UC Browser 15.0.7'],
  [`${CHROME} YaApp_Android/23.36.1 YaSearchBrowser/23.36.1`, 'Yandex Browser 23.36.1'],
  [`${CHROME} QtWebEngine/6.10.1`, 'Qt Web Engine 6.10.1'],
  [`${CHROME} OBS/32.0.2`, 'OBS Studio 32.0.2'],
  [`${CHROME} AdobeCEP/12.0.1`, 'Adobe CEP 12.0.1'],
  [`${CHROME} Telegram-Android/12.3.1 (Samsung SM-X115)`, 'Telegram 12.3.1'],
  [`${CHROME} KAKAOTALK/11.3.1 (PFINAPP)`, 'KakaoTalk 11.3.1'],
  [`${CHROME} Ddg/17.2`, 'DuckDuckGo 17.2'],
  [`${CHROME} Avast/7.7.5`, 'Avast Secure Browser 7.7.5'],
  [`${CHROME} ABB/3.7.1`, 'Aloha Browser 3.7.1'],
  [`${CHROME} QuarkPC/2.0.7.222`, 'Quark PC 2.0.7'],
  [`${CHROME} SLBrowser/7.0.0.6241 SLBChan/`, 'Smart Lenovo Browser 7.0.0'],
  [`${CHROME} RobloxApp/2.707.734 (GlobalDist)`, 'Roblox App 2.707.734'],
  [`${CHROME} CravingExplorer/2.10.7`, 'Craving Explorer Browser 2.10.7'],
  [`${WINDOWS} JiSu/118.0.1.2`, 'JiSu Browser 118.0.1', 'Windows 10'],
  [`${CHROME} HeyTapBrowser/45.13.5.0`, 'HeyTap Browser 45.13.5'],
  [`${CHROME} HonorBrowser/1.0.0`, 'Honor Browser 1.0.0'],
  [`${CHROME} PHX/19.7`, 'Phoenix Browser 19.7'],
  [`${CHROME} OMI/4.24.3.93`, 'Vewd Browser 4.24.3'],
  [`${WINDOWS} Trailer/100.3.3692.93`, 'Trailer 100.3.3692'],
  [`${CHROME} Weibo (iPhone17,1__weibo__15.4.1__iphone__os18.5)`, 'Weibo 15.4.1'],
  [`${CHROME} WeiboIntliOS_iPhone_6720`, 'Weibo'],
  [WINDOWS.replace('x64', 'x64; Valve Client/default/17'), 'Steam Client 118.0.1'],
  [CHROME.replace('Chrome/', 'Brave Chrome/'), 'Brave 144.0.0'],
  [`${CHROME} Brave`, 'Brave'],
  [
    'Instagram 415.0.0.36.76 Android (33/13; 320dpi; 720x1600; samsung; SM-A032M)',
    'Instagram 415.0.0',
    'Android',
  ],
  [`${CHROME} musical_ly_2022704050 AppName/musical_ly app_version/27.4.5 ByteLocale/en`, 'TikTok 27.4.5'],
  [`${CHROME} (Ecosia android@101.0.4951.41)`, 'Ecosia Android 101.0.4951'],
  [`${WINDOWS} QIHU 360ENT`, '360 Secure Browser'],
  [WINDOWS.replace('x64)', 'x64; Chromium GOST)'), 'Chromium GOST Browser'],
  [
    `${WINDOWS} NetType/WIFI MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat(0x63090a13)`,
    'WeChat Browser 7.0.20',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) EdgiOS/108 Version/13.0.3 Safari/605.1.15',
    'Edge Mobile 108',
    'iOS',
  ],
  [
    'Mozilla/5.0 (Linux; Android 12.0; Build/STTL.240206.002) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/92.0.4515.0 Safari/537.36 CrKey/1.56.500000 DeviceType/AndroidTV',
    'Chrome 92.0.4515',
    'Chromecast Android 12.0',
  ],
  [`${CHROME} CrKey/1.56.500000 DeviceType/Chromecast`, 'Chrome 144.0.0', 'Chromecast Linux 1.56.500000'],
  ['aws-sdk-go-v2/1.18.0 os/macos lang/go/1.19.8', 'Other', 'Mac OS X'],
]

const LINES = [...ACTIVE_SYNC, ...CALENDARS, ...MAIL, ...BROWSERS]

describe('our rules', () => {
  const rules = loadDeviceRules({ ownRulesFile: path })
  for (const [userAgent, agentText, osText, deviceText] of LINES) {
    it(`know ${userAgent}`, () => {
      const { userAgent: agent, os, device } = matchUserAgent(rules, userAgent)
      assert.equal(versioned(agent.family, agent.major, agent.minor, agent.patch), agentText)
      if (osText !== undefined) assert.equal(versioned(os.family, os.major, os.minor, os.patch), osText)
      if (deviceText !== undefined)
        assert.equal([device.family, device.brand, device.model].join('|'), deviceText)
    })
  }

  it('have a user agent in this file each', () => {
    const file = parseRulesFile({ file: path, text: readFileSync(path, 'utf8') })
    for (const list of [file.userAgent, file.os, file.device]) {
      const ruleList = createRuleList(list)
      const used = new Set(LINES.map(([userAgent]) => ruleList.firstMatch(userAgent)?.rule))
      assert.deepEqual(
        list.filter((rule) => !used.has(rule)).map((rule) => rule.regex),
        [],
      )
    }
  })

  it('leave common browsers to uap-core', () => {
    const core = loadDeviceRules({ ownRulesFile: undefined })
    const common = [
      CHROME,
      WINDOWS,
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1',
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Safari/605.1.15',
      'Mozilla/5.0 (Linux; Android 14; SM-G991B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36',
      'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0',
      'Outlook-iOS/723.4027091.prod.iphone (3.34.0)',
      'Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17126; Pro)',
    ]
    for (const userAgent of common)
      assert.deepEqual(matchUserAgent(rules, userAgent), matchUserAgent(core, userAgent))
  })
})

function versioned(family: string, ...numbers: readonly (string | undefined)[]): string {
  const version = numbers.filter((number) => number !== undefined).join('.')
  return version === '' ? family : `${family} ${version}`
}
