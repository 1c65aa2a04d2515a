const MAX_CAUSES = 10
const MAX_TRACE_CHARS = 32_768

function headline(error: Error): string {
  const code = (error as { code?: unknown }).code
  const known = typeof code === 'string' && !error.message.includes(code) ? ` (${code})` : ''
  return `${error.name}: ${error.message}${known}`
}

function frames(error: Error): string {
  const stack = error.stack ?? ''
  const at = stack.indexOf('\n    at ')
  return at < 0 ? '' : stack.slice(at)
}

/** The text of an error for people: name, message, stack, and the same of each cause. */
export function formatTrace(error: unknown): string {
  const parts: string[] = []
  let current: unknown = error
  for (let depth = 0; depth < MAX_CAUSES && current !== undefined && current !== null; depth++) {
    const prefix = depth === 0 ? '' : 'Caused by: '
    if (!(current instanceof Error)) {
      parts.push(`${prefix}${typeof current === 'string' ? current : describeValue(current)}`)
      break
    }
    parts.push(`${prefix}${headline(current)}${frames(current)}`)
    current = current.cause
  }
  const text = parts.join('\n')
  return text.length > MAX_TRACE_CHARS ? `${text.slice(0, MAX_TRACE_CHARS)}\n...` : text
}

function describeValue(value: unknown): string {
  try {
    return `${typeof value} ${JSON.stringify(value) ?? String(value)} was thrown, which is not an Error`
  } catch {
    return `a ${typeof value} was thrown, which is not an Error`
  }
}
