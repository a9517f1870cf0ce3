"""Judges resources by fhir.resources (FHIR R5): see ../README.md.

Reads a JSON list of resources, writes a JSON list with the findings of each.
"""

import json
import sys

from fhir.resources import get_fhir_model_class


def findings(resource):
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(json.dumps(resource))
    except Exception as error:
        return [str(error)]
    return []


json.dump([findings(resource) for resource in json.load(sys.stdin)], sys.stdout)
