/** The version of the connector; in events as `source.version`. */
export const VERSION = '0.1.0'
