import type { InstalledPackage } from '../../connect/index.ts'

/** The file that makes an archive a bundle of `millrace plugin bundle`. */
export const BUNDLE_FILE = 'millrace-bundle.json'

/** The folder of a bundle with the package and all it depends on. */
export const BUNDLE_ROOT = 'root/'

export const BUNDLE_VERSION = 1

/** What a bundle says of itself. */
export interface BundleHead {
  readonly bundleVersion: number
  readonly package: InstalledPackage
  /** `linux-x64` when a package in it is made for one system; null when it runs anywhere. */
  readonly platform: string | null
}

/** The system that this process runs on, as `platform` has it. */
export const PLATFORM: string = `${process.platform}-${process.arch}`
