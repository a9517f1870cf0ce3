// SMART Health Links by kill-the-clipboard: see ../README.md.
//   make         writes links with their manifests, made of synthetic data, as JSON
//   open         reads {link, passcode, answers: {url: {status, type, body}}}, opens the link as a viewer would, and writes
//                what it found, or the name of its error; without answers it asks the link's own address
import { SHL, SHLManifestBuilder, SHLViewer } from 'kill-the-clipboard'
import { readFileSync } from 'node:fs'

const bundle = {
  resourceType: 'Bundle',
  type: 'collection',
  entry: [{
    fullUrl: 'urn:uuid:1c6e4a3e-0000-4000-8000-000000000001',
    resource: { resourceType: 'Patient', id: 'p', name: [{ text: 'Test Person 测试' }] },
  }],
}

async function makeOne(flag, compressed) {
  const shl = SHL.generate({
    baseManifestURL: 'https://shl.example.org/manifests', manifestPath: '/m.json', flag,
    label: 'Synthetic 摘要', expirationDate: new Date(1900000000000),
  })
  const files = new Map()
  const builder = new SHLManifestBuilder({
    shl,
    uploadFile: async (content) => {
      const path = `f${files.size}`
      files.set(path, content)
      return path
    },
    getFileURL: async (path) => `https://shl.example.org/files/${path}`,
    loadFile: async (path) => files.get(path),
  })
  await builder.addFHIRResource({ content: bundle, enableCompression: compressed })
  return {
    link: shl.toURI(), flag: flag ?? '', label: shl.label, url: shl.url, exp: shl.exp, compressed,
    embedded: await builder.buildManifest({ embeddedLengthMax: 100000 }),
    located: await builder.buildManifest({ embeddedLengthMax: 1 }),
    content: JSON.stringify(bundle),
  }
}

async function make() {
  const links = []
  for (const [flag, compressed] of [['L', false], ['LP', true], ['P', false], [undefined, true]]) {
    links.push(await makeOne(flag, compressed))
  }
  return { made_by: 'kill-the-clipboard 1.1.0, by tests/conformance/node/health_link.mjs make', links }
}

async function open({ link, passcode, answers }) {
  const asked = []
  const canned = async (url, options = {}) => {
    asked.push({ url: String(url), method: options.method ?? 'GET', body: options.body ?? null })
    const answer = answers[String(url)]
    if (!answer) return new Response('', { status: 404 })
    return new Response(answer.body, { status: answer.status, headers: { 'content-type': answer.type } })
  }
  try {
    const viewer = new SHLViewer({ shlinkURI: link, fetch: answers ? canned : undefined })
    const found = await viewer.resolveSHL({ recipient: 'Example Clinic', passcode, embeddedLengthMax: 1000 })
    return { asked, label: viewer.shl.label, resources: found.fhirResources }
  } catch (error) {
    return { asked, refused: error.constructor.name, message: error.message }
  }
}

const answer = process.argv[2] === 'make' ? await make() : await open(JSON.parse(readFileSync(0, 'utf8')))
process.stdout.write(JSON.stringify(answer, null, 1) + '\n')
