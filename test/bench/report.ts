import { median } from './measure.ts'

/** One figure of one run of one side. */
export type Figures = Readonly<Record<string, number>>

/** One side of a comparison. */
export interface Side {
  readonly name: string
  /** What targets call it, where its name is not known beforehand. */
  readonly role?: string
  run(round: number): Promise<Figures>
  stop(): Promise<void>
}

/** A figure of a case: its target is a bound on ours divided by the peer's, or on ours alone. */
export interface Target {
  readonly figure: string
  readonly unit: string
  readonly better: 'more' | 'less'
  /** The name or role of the side that ours is compared with; left out, the second one. */
  readonly peer?: string
  readonly ratio?: number
  readonly absolute?: number
}

export interface BenchCase {
  readonly name: string
  readonly title: string
  readonly targets: readonly Target[]
  /** Ours first; without a peer only absolute targets can be judged, and those that name an absent peer are left out. */
  sides(): Promise<readonly Side[]>
}

export interface Row {
  readonly caseName: string
  readonly figure: string
  readonly ours: number
  readonly peer: number | null
  readonly peerName: string
  readonly ratio: number | null
  /** How far two runs of the same side lie apart: the median over both of max/min. A smaller difference says nothing. */
  readonly aa: number
  readonly target: string
  readonly met: boolean
}

/** Runs the sides alternately after a discarded warm-up, and compares medians. */
export async function runCase(
  bench: BenchCase,
  rounds: number,
  warmUps: number,
  log: (line: string) => void,
): Promise<Row[]> {
  const sides = await bench.sides()
  const results = sides.map((): Figures[] => [])
  try {
    for (let round = -warmUps; round < rounds; round++) {
      for (const [index, side] of sides.entries()) {
        const figures = await side.run(round)
        const shown = Object.entries(figures).map(([key, value]) => `${key} ${format(value)}`)
        log(`  ${bench.name} ${side.name} ${round < 0 ? 'warm-up' : `run ${round + 1}`}: ${shown.join(', ')}`)
        if (round >= 0) results[index]?.push(figures)
      }
    }
  } finally {
    for (const side of sides) await side.stop()
  }
  return bench.targets.flatMap((target) => {
    const peer = target.peer === undefined ? 1 : sides.findIndex((side) => [side.name, side.role].includes(target.peer))
    if (peer < 0) return []
    return [row(bench.name, target, [results[0] ?? [], results[peer] ?? []], sides[peer]?.name ?? '')]
  })
}

function row(caseName: string, target: Target, results: readonly [Figures[], Figures[]], peerName: string): Row {
  const values = results.map((runs) => runs.map((run) => run[target.figure]).filter((value) => value !== undefined))
  const ours = median(values[0] ?? [])
  const peer = values[1] && values[1].length > 0 ? median(values[1]) : null
  const ratio = peer === null ? null : ours / peer
  const aa = median(values.filter((runs) => runs.length > 0).map((runs) => Math.max(...runs) / Math.min(...runs)))
  const better = (value: number, bound: number) => (target.better === 'more' ? value >= bound : value <= bound)
  const met =
    (target.ratio === undefined || (ratio !== null && better(ratio, target.ratio))) &&
    (target.absolute === undefined || better(ours, target.absolute))
  const sign = target.better === 'more' ? '>=' : '<='
  const parts = [
    target.absolute === undefined ? [] : [`${sign} ${target.absolute} ${target.unit}`],
    target.ratio === undefined ? [] : [`${sign} ${target.ratio}x`],
  ].flat()
  return {
    caseName,
    figure: `${target.figure} (${target.unit})`,
    ours,
    peer,
    peerName,
    ratio,
    aa,
    target: parts.join(' and '),
    met,
  }
}

export function format(value: number | null): string {
  if (value === null) return '-'
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const head = '| case | figure | Millrace | peer | ratio | A/A | target | |\n|---|---|---|---|---|---|---|---|'
  const lines = rows.map((each) => {
    const ratio = each.ratio === null ? '-' : `${each.ratio.toFixed(2)}x`
    const cells = [
      each.caseName,
      each.figure,
      format(each.ours),
      each.peer === null ? '-' : `${format(each.peer)} (${each.peerName})`,
      ratio,
      each.aa.toFixed(2),
      each.target,
    ]
    return `| ${cells.join(' | ')} | ${each.met ? 'met' : 'MISSED'} |`
  })
  return [head, ...lines].join('\n')
}
