// Asks a FHIR server by npm's fhir-kit-client: see ../README.md. Takes {"base", "token", "steps"} on standard input and writes, for
// each step, the status, the headers that matter and the body. A step is {"op", ...} with the arguments of the client's method;
// "nextPage" follows the link of the newest bundle.
import { Client } from 'fhir-kit-client'
import { readFileSync } from 'node:fs'

const { base, token, steps } = JSON.parse(readFileSync(0, 'utf8'))
const client = new Client({ baseUrl: base, bearerToken: token })
const answers = []
let newest

for (const { op, ...args } of steps) {
  try {
    const asked = op === 'nextPage' ? client.nextPage({ bundle: newest }) : op === 'capabilityStatement' ? client.capabilityStatement() : client[op](args)
    const body = await asked
    if (body === undefined) {
      answers.push({ none: true })
      continue
    }
    const { response } = Client.httpFor(body)
    if (body.resourceType === 'Bundle') newest = body
    answers.push({ status: response.status, type: response.headers.get('content-type'), etag: response.headers.get('etag'), body })
  } catch (error) {
    answers.push({ status: error.response?.status, body: error.response?.data, text: String(error) })
  }
}
process.stdout.write(JSON.stringify(answers) + '\n')
