"""Serves ministack, a local AWS, with what Batchfleet needs corrected.

ministack 1.5.33 differs from AWS in two places that matter here. Each correction says what it
repairs, so that it can go when a newer version no longer needs it.
"""

from ministack import app
from ministack.services import lambda_svc, s3

get_object = s3._get_object
esm_concurrency = lambda_svc._sqs_esm_concurrency


def get_object_with_range(bucket_name, key, headers, query_params=None):
    """A GET of a version ignores its Range header: AWS answers 206 with those bytes only."""
    status, answer, body = get_object(bucket_name, key, headers, query_params)
    wanted = headers.get("range", "")
    if status != 200 or not wanted:
        return status, answer, body
    span = s3._parse_range(wanted, len(body))
    if span is None:
        answer = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
        return 416, answer, s3._xml_body(s3._range_error_xml(bucket_name, key))
    start, end = span
    part = body[start : end + 1]
    answer["Content-Length"] = str(len(part))
    answer["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
    # The whole object's checksum cannot match a part of it.
    answer = {name: value for name, value in answer.items() if "checksum" not in name.lower()}
    return 206, answer, part


def esm_concurrency_as_number(esm, *rest):
    """A MaximumConcurrency taken from a template's parameter arrives as text and stops the poller."""
    scaling = esm.get("ScalingConfig") or {}
    if isinstance(scaling.get("MaximumConcurrency"), str):
        scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
    return esm_concurrency(esm, *rest)


if __name__ == "__main__":
    s3._get_object = get_object_with_range
    lambda_svc._sqs_esm_concurrency = esm_concurrency_as_number
    app.main()
