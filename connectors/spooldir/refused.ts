import type { ConfigIssue, RawConfig } from '@millrace/sdk'

/** Options of SpoolDir that are not supported, with the value that changes nothing and the reason. */
const REFUSED: Readonly<Record<string, { readonly harmless: string; readonly reason: string }>> = {
  'files.notifications.enabled': {
    harmless: 'false',
    reason: 'there are no records about files; the offsets of the connector tell which files were read',
  },
}

/** Keys that are set to something that this connector does not do. */
export function refusedSettings(raw: RawConfig): ConfigIssue[] {
  return Object.entries(REFUSED).flatMap(([key, { harmless, reason }]) => {
    const value = raw[key]?.trim()
    if (value === undefined || value === '' || value.toLowerCase() === harmless) return []
    return [{ key, message: `"${value}" is not possible: ${reason}; remove it or set it to "${harmless}"` }]
  })
}
