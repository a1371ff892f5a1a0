// Files that are exchanged while a program runs: looked at every few seconds, taken when they changed and can be used.

/** BundleFile and RevocationFile are such. */
export interface RefreshedFile {
  /** True when a changed file was taken. Throws when it cannot be used; what was in force then stays. */
  refresh(): Promise<boolean>;
}

export interface RenewalOptions {
  readonly file: RefreshedFile;
  readonly everyMs?: number;
  /** The changed file is in force from now on; what this throws is reported like a file that cannot be used. */
  readonly onTaken: () => void;
  /** Told once for each file that cannot be used, not at every look. */
  readonly onKept: (cause: unknown) => void;
}

/** A look costs one stat call. */
const EVERY_MS = 5_000;

/** Looks until the returned function is called. */
export function keepFresh({ file, everyMs = EVERY_MS, onTaken, onKept }: RenewalOptions): () => void {
  let told = '';
  let looking = false;
  const look = async (): Promise<void> => {
    try {
      if (await file.refresh()) onTaken();
      told = '';
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : 'unknown';
      if (text !== told) onKept(cause);
      told = text;
    }
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  }, everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
