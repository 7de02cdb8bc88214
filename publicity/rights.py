"""The rights of PIPL chapter 4 as the rights centre shows them: article, what it does, time, limits, where to click."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from catalogue.deadlines import rule_for
from records.rights_models import RightsRequest

Kind = RightsRequest.Kind


@dataclass(frozen=True)
class Right:
    """One right: its article, what it does, how long it takes, what cannot be done and why, and the buttons."""

    name: str
    law: str
    does: str
    time: str
    limits: str
    links: tuple[tuple[str, str], ...]


AT_ONCE = "当场"
SHARED = "国家机关为履行法定职责处理，不以您同意为前提，不能因为不愿意而停止（第十三条第三项、第三十五条）"


def within(code: str) -> str:
    """Return how long an answer takes, with its source: a deadline's row."""
    rule = rule_for(code, timezone.localdate())
    return f"{rule.n} {rule.get_unit_display()}内（{rule.basis}）"


def rights() -> list[Right]:
    """Return all rights in the order of the law."""
    ask = {kind: reverse("me_right_ask", args=[kind.value]) for kind in Kind}
    file, access, consents = reverse("me_file"), reverse("me_access"), reverse("me_consents")
    explained = reverse("me_explained")
    return [
        Right("知情、限制或者拒绝处理", "第四十四条", "知道谁为什么处理您的信息；对没有依据的处理，要求限制或者停止。",
              f"查看{AT_ONCE}；限制、拒绝的请求 {within('D72')}", f"{SHARED}；限制的理由须由提供单位核实。",
              (("谁查了我", access), ("请求限制、拒绝", ask[Kind.RESTRICT]))),
        Right("查阅", "第四十五条第一款", "看系统里关于您的全部记录，包括不公示的、已经修复的。", AT_ONCE,
              "已经撤回（不该报送）和查询期满的不再向任何人提供，包括您本人。", (("查看我的档案", file),)),
        Right("复制", "第四十五条", "下载带编号、可以核验的 PDF 报告。", AT_ONCE,
              "报告要交给别人，不含只有您看得到的记录。", (("下载报告（PDF）", reverse("me_reports")),)),
        Right("转移（可携带）", "第四十五条第三款", "程序能读的全部资料（JSON）：记录的每一版、声明、授权、消息、疑问、请求、查询记录。",
              AT_ONCE, "转到别处由您自己决定；证件号码只显示首尾几位，防止文件外泄。",
              (("下载全部资料（JSON）", reverse("me_copy")), ("格式说明", reverse("me_copy_schema")))),
        Right("更正、补充", "第四十六条", "记录写错、写漏了，请提供单位核实后更正。", within("D13"),
              "文书本身写错的，要向作出文书的机关申请；这里改的是报送的信息。", (("请求更正", ask[Kind.CORRECT]),)),
        Right("删除", "第四十七条", "没有依据、认错了人、依据的决定已撤销、超过期限的，请求删除。", within("D72"),
              "法律规定的保存期限没有届满的不能删除：每条记录到哪一天、为什么，在请求页逐条写明，到期自动删除。",
              (("请求删除", ask[Kind.DELETE]),)),
        Right("解释说明", "第四十八条", "逐条说明：为什么有、依据、谁提供、期限怎么算。", f"{AT_ONCE}；还不清楚的，{within('D72')}",
              "本站不作自动化决定，没有算法结论需要解释。", (("看逐条说明", explained), ("请单位说明", ask[Kind.EXPLAIN]))),
        Right("撤回同意", "第十五条", "撤回给银行、用人单位等机构的查询授权，立即生效。", AT_ONCE,
              "撤回以前已经完成的查询不受影响；部门依职责的查询不凭您的同意。", (("我的授权", consents),)),
        Right("质疑一次查询", "第四十四条、第五十条", "对“谁查了我”里任何一次查询点一下，单位要说明理由，审计员核对。", within("D14"),
              "自己的查询和公众查询没有查询单位可问。", (("谁查了我", access), ("我提出的疑问", reverse("me_questions")))),
        Right("投诉、举报", "第六十五条", "向网信部门和有关主管部门投诉、举报，收到的部门应当及时处理并告知结果。", within("D33"),
              "请求被拒绝的，还可以向人民法院起诉（第五十条第二款）。", (("渠道和办法", "#complaints"),)),
    ]  # fmt: skip
