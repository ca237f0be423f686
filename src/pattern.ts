/**
 * A regular expression that is made when it is first asked for, for those with Unicode properties (`\p{…}`): V8 checks every
 * literal of the program in each start, and such a one takes up to half a millisecond.
 */
export function pattern(source: string, flags: string): () => RegExp {
  let made: RegExp | undefined;
  return () => {
    made ??= new RegExp(source, flags);
    return made;
  };
}
