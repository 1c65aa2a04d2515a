/** The version of this package, which reports name. A test holds it to package.json. */
export const testkitVersion = '0.1.0'
