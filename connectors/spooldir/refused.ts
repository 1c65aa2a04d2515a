import type { ConfigIssue, RawConfig } from '@millrace/sdk'

/** Options of SpoolDir and of Confluent's SFTP connectors that are not supported, with the value that changes nothing and the reason. */
const REFUSED: Readonly<Record<string, { readonly harmless: string; readonly reason: string }>> = {
  'files.notifications.enabled': {
    harmless: 'false',
    reason: 'there are no records about files; the offsets of the connector tell which files were read',
  },
  'sftp.max.record.size': {
    harmless: '0',
    reason: 'records are as large as their files make them; file.maximum.bytes bounds binary files',
  },
  ...Object.fromEntries(
    ['sftp.proxy.url', 'sftp.proxy.username', 'sftp.proxy.password'].map((key) => [
      key,
      { harmless: '', reason: 'proxies are not supported' },
    ]),
  ),
  ...Object.fromEntries(
    ['kerberos.user.principal', 'kerberos.keytab.path'].map((key) => [
      key,
      { harmless: '', reason: 'there is no login by Kerberos; log in with a key or a password' },
    ]),
  ),
}

/** Keys that are set to something that this connector does not do. */
export function refusedSettings(raw: RawConfig): ConfigIssue[] {
  return Object.entries(REFUSED).flatMap(([key, { harmless, reason }]) => {
    const value = raw[key]?.trim()
    if (value === undefined || value === '' || value.toLowerCase() === harmless) return []
    // Without the value: some of them are secrets.
    return [
      {
        key,
        message: `it is not possible: ${reason}; remove it${harmless === '' ? '' : ` or set it to "${harmless}"`}`,
      },
    ]
  })
}
