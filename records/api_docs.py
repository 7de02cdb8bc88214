"""What the OpenAPI document says of the batch endpoints; the code beside which it would stand is in records.api."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from accounts.api import KEY_HEADER, LONGEST_KEY
from records import api_shapes as shapes

TAG = ["报送批次"]
KEY = OpenApiParameter(
    KEY_HEADER, {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY}, OpenApiParameter.HEADER, required=True,
    description="每次写入一个新值（如 UUID）；重试用同一个值，得到第一次的答复",
)  # fmt: skip
NUMBER = OpenApiParameter("number", str, OpenApiParameter.PATH, description="批次号，如 B20261130-000012")
BATCH = OpenApiResponse(shapes.BatchShape, "批次")
DONE = OpenApiResponse(shapes.BatchShape, "已受理，或第一次的答复")
LINES = {
    "type": "string",
    "description": "每行一个 JSON 对象，键为条目的数据项代码（或名称），如 {\"CF_XDR_MC\": \"…\", \"CF_WSH\": \"…\"}",
}  # fmt: skip

list_batches = extend_schema(
    operation_id="list_batches", summary="本单位的批次，新的在前", tags=TAG,
    description="只列本单位的批次。下一页的地址在 next。",
    parameters=[shapes.BatchesAskedShape],
    responses={200: shapes.BatchesShape},
)  # fmt: skip
deliver = extend_schema(
    operation_id="deliver_batch", summary="报送一批数据", tags=TAG,
    description="文件用 multipart/form-data；JSON 行用 application/x-ndjson，item、all_or_none 写在地址里。"
    "步骤与网页上传相同：先收下，后台校验，查询批次得到结果。内容相同的已报送过的，答复 200 和那个批次。",
    parameters=[
        KEY,
        OpenApiParameter("item", str, OpenApiParameter.QUERY, description="目录条目编码（只用于 JSON 行）"),
        OpenApiParameter("all_or_none", bool, OpenApiParameter.QUERY, description="有一行不合格则全部不入库（只用于 JSON 行）"),
    ],
    request={"multipart/form-data": shapes.DeliveryShape, "application/x-ndjson": LINES},
    responses={200: OpenApiResponse(shapes.BatchShape, "同样的内容此前已报送"), 202: DONE},
)  # fmt: skip
show_batch = extend_schema(
    operation_id="show_batch",
    summary="状态、行数和下一步",
    tags=TAG,
    description="校验后 counts.rows 等于新增、变更、无变化、退回之和；next 写明下一步由谁办什么。",
    parameters=[NUMBER],
    responses={200: BATCH},
)
show_rows = extend_schema(
    operation_id="show_rows", summary="退回的行和逐行原因", tags=TAG,
    description="每行列出全部原因、数据项代码和怎么改，与工作平台所见相同。下一页的地址在 next。",
    parameters=[NUMBER, shapes.RowsAskedShape],
    responses={200: shapes.RowsShape},
)  # fmt: skip
fetch_correction = extend_schema(
    operation_id="fetch_correction", summary="更正件（xlsx）", tags=TAG,
    description="在原表上改好后可以直接重新报送。",
    parameters=[NUMBER],
    responses={
        (200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"): OpenApiResponse(
            OpenApiTypes.BINARY, "只含退回的行，问题单元格已标出；all_or_none 的含全部行"
        )
    },
)  # fmt: skip
fetch_receipt = extend_schema(
    operation_id="fetch_receipt", summary="回执（入库后才有）", tags=TAG,
    description="每次取到的都是同一份，可以在工作平台核验。",
    parameters=[NUMBER],
    responses={200: shapes.ReceiptShape},
)  # fmt: skip
commit = extend_schema(
    operation_id="commit_batch", summary="提交入库（只限目录允许单人提交的条目）", tags=TAG, parameters=[NUMBER, KEY],
    description="其余条目由本单位审核员在工作平台提交，批次的 next 会说明。", request=None, responses={202: DONE},
)  # fmt: skip
withdraw = extend_schema(
    operation_id="withdraw_batch", summary="撤回已入库的批次", tags=TAG, parameters=[NUMBER, KEY],
    description="撤回涉及的记录较多时，须由本单位另一名工作人员在工作平台同意，批次的 next 会说明。",
    request=shapes.ReasonedShape, responses={202: DONE},
)  # fmt: skip
cancel = extend_schema(
    operation_id="cancel_batch", summary="取消还没有入库的批次", tags=TAG,
    description="没有任何数据入库；已入库的用撤回。",
    parameters=[NUMBER, KEY], request=None,
    responses={202: DONE},
)  # fmt: skip
