"""One's own attestations, for the person's own program in their own browser; no parameter names anybody."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BooleanField, CharField, DateField, DateTimeField, IntegerField, Serializer

from access.web import PUBLIC_SITE, asker
from accounts.api import OwnView
from publicity.copy import attestation_of
from sanctions.attestation import own_attestations


class AttestationShape(Serializer):
    """One attestation about the signed-in person."""

    number = CharField(help_text="证明编号")
    way = CharField(help_text="出具方式")
    institution = CharField(help_text="经授权得到回答的机构；本人办理的为空")
    years = IntegerField(help_text="连续几年")
    since = DateField()
    as_of = DateField(help_text="出具日")
    valid_until = DateField(help_text="有效期至（含当日）")
    rule = CharField(help_text="规则版本")
    issued_at = DateTimeField()
    holds = BooleanField(allow_null=True, help_text="能够证明；过有效期的为 null，回答已删除")
    standing = CharField(help_text="same 没有变化；changed 有变化；stopped 已停用；issued 经授权出具；over 已过期")
    verified = IntegerField(help_text="被核验多少次")


class AttestationsView(OwnView):
    """One's own attestations."""

    @extend_schema(operation_id="own_attestations", summary="我的无失信记录证明，新的在前", tags=["我的证明"],
                   description="只答登录者本人的证明，最多 100 份；每次调用记入查询日志。不含验证码，也不含信用记录的内容。",
                   responses={200: AttestationShape(many=True)})  # fmt: skip
    def get(self, request: Request) -> Response:
        found = own_attestations(self.person, by=asker(request._request, PUBLIC_SITE))
        return Response([attestation_of(one) for one in found])
