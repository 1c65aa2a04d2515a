import type { Work } from './work.ts'

/**
 * The eager protocol: everything is stopped before each rebalance and dealt anew, round robin over the sorted members,
 * the connectors first and the tasks after them.
 */
export function assignEagerly(members: readonly string[], configured: Work): Map<string, Work> {
  const sorted = [...members].sort()
  const result = new Map(sorted.map((member) => [member, { connectors: new Set<string>(), tasks: new Set<string>() }]))
  let next = 0
  const take = () => result.get(sorted[next++ % sorted.length] ?? '')
  for (const connector of [...configured.connectors].sort()) take()?.connectors.add(connector)
  for (const task of configured.tasks) take()?.tasks.add(task)
  return result
}
