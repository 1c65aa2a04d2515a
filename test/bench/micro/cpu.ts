/** Runs `body` in rounds for about `seconds` and returns what it did in each second of CPU time of this process. */
export async function perCpuSecond(
  seconds: number,
  body: () => number | Promise<number>,
): Promise<{ units: number; wallUnits: number }> {
  await body()
  const cpu = process.cpuUsage()
  const started = performance.now()
  let units = 0
  while (performance.now() - started < seconds * 1000) units += await body()
  const { user, system } = process.cpuUsage(cpu)
  return { units: units / ((user + system) / 1e6), wallUnits: units / ((performance.now() - started) / 1000) }
}

export function line(name: string, cells: Record<string, string>): void {
  const text = Object.entries(cells).map(([key, value]) => `${key} ${value}`)
  console.log(`${name.padEnd(44)} ${text.join('   ')}`)
}

export const mega = (value: number, digits: number = 2): string => (value / 1e6).toFixed(digits)
