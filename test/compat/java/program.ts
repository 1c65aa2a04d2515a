import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { javaClasses } from '../../services/java.ts'

const CONNECT_DATA = join(import.meta.dirname, 'ConnectData.java')
const LOGGING = join(import.meta.dirname, '../../services/kafka/log4j2.properties')
const STDERR_CHARS = 10_000

/** A Java program that answers each line of JSON with one, built on ConnectData.java. */
export interface JavaProgram {
  /** Its source, of which the name is the class. */
  readonly source: string
  /** Folders of the jars that it needs. */
  readonly jars: readonly string[]
}

/** Gives a program its lines and waits for all of its answers. */
export async function javaAnswers(program: JavaProgram, lines: readonly unknown[]): Promise<any[]> {
  const { source, jars } = program
  const classes = await javaClasses([CONNECT_DATA, source], jars)
  const classPath = [classes, ...jars.map((folder) => join(folder, '*'))].join(':')
  const jvm = ['-Xmx512M', '-Duser.timezone=UTC', `-Dlog4j2.configurationFile=${LOGGING}`, '-cp', classPath]
  const name = source.slice(source.lastIndexOf('/') + 1).replace('.java', '')
  const java = spawn('java', [...jvm, name], { cwd: tmpdir(), stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  java.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk))
  java.stderr.setEncoding('utf8').on('data', (chunk) => (stderr = (stderr + chunk).slice(-STDERR_CHARS)))
  // A program that ends early says why on its error stream.
  java.stdin.on('error', () => undefined)
  java.stdin.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const code = await new Promise((resolve) => java.on('close', resolve))
  if (code !== 0) throw new Error(stderr)
  const answers = stdout.split('\n').filter((line) => line !== '')
  if (answers.length !== lines.length) throw new Error(`${answers.length} answers to ${lines.length} lines: ${stderr}`)
  return answers.map((line) => JSON.parse(line))
}
