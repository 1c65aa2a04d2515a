#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { commands } from './commands.ts'
import { UsageError } from './usage-error.ts'

async function main(args: readonly string[]): Promise<void> {
  const program = new Command('millrace')
    .description('Kafka Connect with a built-in Kafka-protocol log, in one command')
    .showHelpAfterError('(add --help for the options)')
  for (const entry of commands) {
    const command = program.command(entry.name).description(entry.summary)
    // The options of a command are in its file; the others need only their line of the help.
    if (entry.name === args[0]) (await entry.load()).define(command)
  }
  await program.parseAsync([...args], { from: 'user' })
}

// A reader that has enough, such as `head`, ends a tool quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode
  } else {
    const known = error instanceof Error && 'code' in error
    const text =
      error instanceof UsageError || known ? error.message : error instanceof Error ? error.stack : String(error)
    process.stderr.write(`${text}\n`)
    process.exitCode = 1
  }
}
