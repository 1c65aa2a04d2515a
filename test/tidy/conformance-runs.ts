// Lists what the acceptance suite runs over: imports the tests named on the command line with a vitest and a testkit that only
// note what is described. Prints JSON.
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

/** One call of `describeSource` or `describeSink`. */
export interface ConformanceRun {
  /** The path of the test. */
  readonly file: string
  readonly kind: 'source' | 'sink'
  readonly name: string
  /** Undefined where the manifest says it. */
  readonly guarantee?: string
  readonly notApplicable: readonly string[]
}

const runs: ConformanceRun[] = []
let file = ''
const note =
  (kind: ConformanceRun['kind']) =>
  (definition: { name: string }, options: { guarantee?: string; notApplicable?: Record<string, string> }): void => {
    const { guarantee, notApplicable = {} } = options
    runs.push({
      file,
      kind,
      name: definition.name,
      ...(guarantee === undefined ? {} : { guarantee }),
      notApplicable: Object.keys(notApplicable),
    })
  }

const nothing = (): void => {}
const describe = Object.assign((_name: string, body: () => void) => body(), {
  // What is missing on this machine is listed all the same.
  skipIf: () => (_name: string, body: () => void) => body(),
  each: (cases: readonly unknown[]) => (_name: string, body: (each: unknown) => void) => cases.forEach(body),
})
const stubs: Readonly<Record<string, object>> = {
  vitest: { describe, test: { skip: nothing }, beforeAll: nothing, afterAll: nothing },
  '@millrace/testkit': { describeSource: note('source'), describeSink: note('sink') },
}
Object.assign(globalThis, { conformanceStubs: stubs })

registerHooks({
  resolve: (specifier, context, next) =>
    specifier in stubs ? { url: `stub:${specifier}`, format: 'module', shortCircuit: true } : next(specifier, context),
  load(url, context, next) {
    if (!url.startsWith('stub:')) return next(url, context)
    const specifier = url.slice('stub:'.length)
    const names = Object.keys(stubs[specifier] ?? {})
    const source = `export const { ${names.join(', ')} } = globalThis.conformanceStubs['${specifier}']`
    return { format: 'module', source, shortCircuit: true }
  },
})

for (file of process.argv.slice(2)) await import(pathToFileURL(file).href)
console.log(JSON.stringify(runs))
