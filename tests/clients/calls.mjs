// What a program of a client prints: one JSON line for each call. See calls.py.

const lines = process.stdout;
console.log = console.error;

/** The arguments of the test that started this program. */
export const given = JSON.parse(process.argv[2]);

/** Print what `action()` answered or raised; return the answer, or null where it raised. */
export async function call(name, action) {
    let line;
    try {
        line = { call: name, answer: (await action()) ?? null };
    } catch (error) {
        line = { call: name, error: error?.name ?? typeof error, text: error?.message ?? String(error) };
    }
    lines.write(`${JSON.stringify(line)}\n`);
    return line.answer ?? null;
}
