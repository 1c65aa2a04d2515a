import type { Placement } from '../../../../src/connect/herder/placement.ts'

/** Connectors that require no labels. */
export const anywhere: Placement = { required: { connectors: new Map(), tasks: new Map() }, labels: new Map() }

/** Connectors that require labels with their tasks, and members that have some. */
export function placementOf(
  required: Readonly<Record<string, readonly string[]>>,
  members: Readonly<Record<string, readonly string[]>>,
): Placement {
  const labels = (given: Readonly<Record<string, readonly string[]>>) =>
    new Map(Object.entries(given).map(([name, list]) => [name, new Set(list)]))
  return { required: { connectors: labels(required), tasks: labels(required) }, labels: labels(members) }
}
