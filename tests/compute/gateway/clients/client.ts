// The official npm client against a gateway: prints, as JSON, what it got and how it failed.
import OpenAI from "openai";

const [base, apiKey, broke] = Deno.args;
const client = new OpenAI({ baseURL: base, apiKey, maxRetries: 1 });
const poor = new OpenAI({ baseURL: base, apiKey: broke, maxRetries: 0 });
const messages = [{ role: "user" as const, content: "What does the agent earn?" }];

const fail = async (work: () => Promise<unknown>) => {
  try {
    await work();
    return "nothing was raised";
  } catch (error) {
    const found = error as { constructor: { name: string }; status?: number; code?: string };
    return [found.constructor.name, found.status ?? null, found.code ?? null];
  }
};

const order = (name: string) => ({ provider: { only: [name] } });
const ask = { model: "toy", messages, max_tokens: 6, ...order("good") };
const whole = await client.chat.completions.create(ask).withResponse();
let streamed = "";
const stream = await client.chat.completions.create({ ...ask, stream: true as const });
for await (const chunk of stream) streamed += chunk.choices[0]?.delta?.content ?? "";
const response = await client.responses.create({ model: "toy", input: messages, max_output_tokens: 6, ...order("good") });
const vectors = await client.embeddings.create({ model: "toy", input: ["a", "b"], ...order("good") });
const models = [];
for await (const model of client.models.list()) models.push(model.id);

const cut = async () => {
  const body = { model: "toy", messages, stream: true as const, ...order("cut") };
  for await (const _ of await client.chat.completions.create(body)) { /* until it breaks off */ }
};
const never = () => client.chat.completions.create({ model: "toy", messages, ...order("busy") });

console.log(JSON.stringify({
  whole: whole.data.choices[0].message.content,
  provider: whole.response.headers.get("x-provider"),
  streamed,
  response: response.output_text,
  vectors: vectors.data.length,
  models,
  unknown: await fail(() => client.chat.completions.create({ model: "other", messages })),
  wrong: await fail(() => client.chat.completions.create({ model: "toy", messages, max_tokens: -1 })),
  stranger: await fail(() => new OpenAI({ baseURL: base, apiKey: "mk_x" }).models.list()),
  poor: await fail(() => poor.chat.completions.create({ model: "toy", messages })),
  cut: await fail(cut),
  busy: await fail(never),
}));
