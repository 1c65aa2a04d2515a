import type { Disk } from '../base/index.ts'

const UNKNOWN = 'unknown'
/** As long as Kafka shows its own. */
const SHOWN = 16

/**
 * The commit of the checkout that runs, for `GET /`; `unknown` for what was installed as a package, which has no history.
 * Reads what git keeps in its files, because starting git would take longer than starting the worker's listener.
 */
export function checkoutCommit(disk: Pick<Disk, 'exists' | 'readFile'>, root: string): string {
  const read = (name: string): string => {
    const path = `${root}/.git/${name}`
    return disk.exists(path) ? disk.readFile(path).toString('utf8') : ''
  }
  const head = read('HEAD').trim()
  const ref = /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1]
  return shown(ref === undefined ? head : read(ref).trim() || packed(read('packed-refs'), ref))
}

function packed(refs: string, ref: string): string {
  return (
    refs
      .split('\n')
      .find((line) => line.endsWith(` ${ref}`))
      ?.split(' ')[0] ?? ''
  )
}

function shown(commit: string): string {
  return /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit) ? commit.slice(0, SHOWN) : UNKNOWN
}
