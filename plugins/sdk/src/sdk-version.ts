/** The version of this package, which plugins name a range of in their `peerDependencies`. A test holds it to package.json. */
export const sdkVersion = '0.1.0'
