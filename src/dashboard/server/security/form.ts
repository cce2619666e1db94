/** Bytes of a form that an action takes unless it says more. */
export const FORM_BYTES = 1_000_000;

/** A form that is not taken, with the status that says so. */
export class FormRefused extends Error {
  constructor(
    readonly status: 400 | 413 | 415,
    message: string,
  ) {
    super(message);
  }
}

/** Reads a form, as browsers send one without files, and not more than so many bytes of it. @throws FormRefused */
export async function readForm(request: Request, maxBytes: number): Promise<FormData> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/x-www-form-urlencoded\b/i.test(type))
    throw new FormRefused(415, 'An action is a form: application/x-www-form-urlencoded.');
  const form = new FormData();
  for (const [name, value] of new URLSearchParams(await readText(request, maxBytes)))
    form.append(name, value);
  return form;
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = () => new FormRefused(413, `The form has more than ${maxBytes / 1_000_000} MB.`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength;
      // Leaving the loop cancels the rest.
      if (bytes > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof FormRefused) throw error;
    throw new FormRefused(400, 'The form broke off before its end.');
  }
  return Buffer.concat(chunks).toString('utf8');
}
