/**
 * A regular expression that is made when it is first asked for, for two kinds that would cost every start. V8 checks each
 * literal of the program then, and one with Unicode properties (`\p{…}`) takes up to half a millisecond. And one with letters
 * beyond ASCII would make V8 keep the whole program in two bytes a character: in a plain string the bundler escapes them.
 */
export function pattern(source: string, flags = ""): () => RegExp {
  let made: RegExp | undefined;
  return () => {
    made ??= new RegExp(source, flags);
    return made;
  };
}
