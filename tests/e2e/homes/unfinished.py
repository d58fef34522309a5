"""What MiniStack 1.5 leaves out of a REST API made from a template (the method ANY, the gateway responses), put in by API Gateway's own API."""

from __future__ import annotations

from typing import Any, Final

import boto3

from upid.runtime.template import Route, Template

INTEGRATION: Final = "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def finish(stack: str, api_id: str) -> None:
    """Give every resource of the API its method and every gateway response its form, and deploy that."""
    gateway, template = boto3.client("apigateway"), Template.load()
    resources = {resource["path"]: resource for resource in gateway.get_resources(restApiId=api_id, limit=500)["items"]}
    authorizer = gateway.get_authorizers(restApiId=api_id)["items"][0]["id"]
    for route in template.routes:
        if not resources[route.resource].get("resourceMethods"):
            _connect(
                gateway, stack, route, {"restApiId": api_id, "resourceId": resources[route.resource]["id"], "httpMethod": "ANY"}, authorizer
            )
    for kind, response in template.document["Resources"]["Api"]["Properties"]["GatewayResponses"].items():
        _answer(gateway, api_id, kind, response)
    gateway.create_deployment(restApiId=api_id, stageName="live")


def _connect(gateway: Any, stack: str, route: Route, place: dict[str, str], authorizer: str) -> None:
    caller = {"authorizationType": "NONE"} if route.open else {"authorizationType": "CUSTOM", "authorizerId": authorizer}
    gateway.put_method(**place, **caller)
    found = boto3.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=route.function.name)
    name = found["StackResourceDetail"]["PhysicalResourceId"]
    arn = boto3.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    uri = INTEGRATION.format(region=gateway.meta.region_name, arn=arn)
    gateway.put_integration(**place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)


def _answer(gateway: Any, api_id: str, kind: str, response: dict[str, Any]) -> None:
    headers = {f"gatewayresponse.header.{name}": value for name, value in response["ResponseParameters"]["Headers"].items()}
    status = {"statusCode": str(response["StatusCode"])} if "StatusCode" in response else {}
    gateway.put_gateway_response(
        restApiId=api_id, responseType=kind, responseParameters=headers, responseTemplates=response["ResponseTemplates"], **status
    )
