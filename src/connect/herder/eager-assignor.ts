import { labelsText } from '../config/worker-labels.ts'
import { homelessWork, isAllowed, type Placement, requiredLabels } from './placement.ts'
import { Spread } from './spread.ts'
import { emptyWork, minus, type Work, type WorkKind } from './work.ts'

interface Piece {
  readonly kind: WorkKind
  readonly key: string
}

/**
 * The eager protocol: everything is stopped before each rebalance and dealt anew, round robin over the sorted members
 * that have the labels for it, the connectors first and the tasks after them.
 */
export function assignEagerly(members: readonly string[], all: Work, placement: Placement): Map<string, Work> {
  const sorted = [...members].toSorted()
  const loads = sorted.map(() => ({ connectors: new Set<string>(), tasks: new Set<string>() }))
  const labelsOf = ({ kind, key }: Piece) => requiredLabels(placement.required, kind, key)
  const configured = minus(all, homelessWork(placement, sorted, all))
  const pieces: Piece[] = [
    ...[...configured.connectors].toSorted().map((key) => ({ kind: 'connectors', key }) as const),
    ...[...configured.tasks].map((key) => ({ kind: 'tasks', key }) as const),
  ]
  const spread = new Spread<Piece>({
    loads: sorted.map(() => []),
    unplaced: pieces,
    groupOf: (piece) => labelsText(labelsOf(piece)),
    isAllowed: (index, piece) => isAllowed(placement, sorted[index] ?? '', labelsOf(piece)),
  })
  const sizeOf = (index: number) => (loads[index]?.connectors.size ?? 0) + (loads[index]?.tasks.size ?? 0)
  for (const piece of pieces) {
    const index = spread.place(piece, sizeOf)
    if (index !== undefined) loads[index]?.[piece.kind].add(piece.key)
  }
  return new Map(sorted.map((member, index) => [member, loads[index] ?? emptyWork]))
}
