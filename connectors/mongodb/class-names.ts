/** The last part of a Java class name, which is how existing configurations name strategies and processors. */
export function simpleName(className: string): string {
  return className.trim().slice(className.trim().lastIndexOf('.') + 1)
}

/** A check that a value names one of the known classes, with or without its package. */
export function oneOfClasses(names: readonly string[]): (value: string) => string | undefined {
  return (value) =>
    names.includes(simpleName(value))
      ? undefined
      : `"${value}" is not known; use one of ${names.join(', ')}. Classes of your own are written in Java and cannot be loaded here`
}
