"""The files of harness/deploy as their engines take them: Kubernetes' schema, the API of AWS Batch, sbatch itself."""

import json

import botocore.session
import kubernetes_validate
import yaml
from archive import ROOT, check
from botocore.validate import ParamValidator

DEPLOY = ROOT / "harness/deploy"
KUBERNETES = "1.33"


def manifests(slurm):
    """All of them; `slurm` is a cluster that runs."""
    try:
        job = yaml.safe_load((DEPLOY / "kubernetes/job.yaml").read_text())
        kubernetes_validate.validate(job, KUBERNETES, strict=True)
        error = None
    except kubernetes_validate.ValidationError as found:
        error = found
    check(f"kubernetes/job.yaml is a Job of Kubernetes {KUBERNETES}", error is None, error)
    container = job["spec"]["template"]["spec"]["containers"][0]
    count = container["args"][container["args"].index("--task-count") + 1]
    check("kubernetes/job.yaml: --task-count is its completions", int(count) == job["spec"]["completions"], count)
    model = botocore.session.get_session().get_service_model("batch")
    for name, operation in (("job-definition", "RegisterJobDefinition"), ("submit-job", "SubmitJob")):
        given = json.loads((DEPLOY / f"aws-batch/{name}.json").read_text())
        report = ParamValidator().validate(given, model.operation_model(operation).input_shape)
        check(f"aws-batch/{name}.json is what {operation} takes", not report.has_errors(), report.generate_report())
    said = slurm.test_only()
    check("slurm/harness.sbatch: sbatch --test-only takes it", "to start at" in said, said)
