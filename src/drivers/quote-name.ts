/** A name as SQL: in double quotes, those within doubled. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
