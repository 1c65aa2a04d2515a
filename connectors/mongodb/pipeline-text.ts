/** Says what keeps a text from being a JSON array of aggregation stages, or undefined. */
export function pipelineProblem(text: string): string | undefined {
  return problemOf(text, (value) => Array.isArray(value) && value.every(isObject), 'a JSON array of aggregation stages')
}

/** Says what keeps a text from being a JSON document, or undefined. */
export function documentProblem(text: string): string | undefined {
  return problemOf(text, isObject, 'a JSON document')
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function problemOf(text: string, fits: (value: unknown) => boolean, what: string): string | undefined {
  if (text === '') return undefined
  try {
    return fits(JSON.parse(text)) ? undefined : `is not ${what}`
  } catch (error) {
    return `is not ${what}: ${(error as Error).message}`
  }
}
