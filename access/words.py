"""The kinds of query and their grounds in plain words, for the person whose file was read (domain §7.1)."""

from dataclasses import dataclass

from access.models import Kind


@dataclass(frozen=True)
class Words:
    """What a kind of query is, why it is allowed, and what the person can do about it."""

    what: str
    ground: str
    remedy: str


WORDS: dict[Kind, Words] = {
    Kind.SELF: Words(
        "您自己在网上看的，或者您自己办理授权、声明、疑问时打开的。",
        "个人有权查阅、复制自己的个人信息（个人信息保护法第四十五条）。",
        "如果不是您本人看的，请立即修改密码，并在“我的账户”里查看登录记录。",
    ),
    Kind.COUNTER: Words(
        "有人拿着您的居民身份证到政务服务窗口，由两名窗口人员核对后打印了您的信用报告。",
        "个人有权查阅、复制自己的个人信息（个人信息保护法第四十五条）。",
        "如果您没有去过窗口，请点“我有疑问”。",
    ),
    Kind.AGENT: Words(
        "您委托的人，或者依法可以查询的近亲属，凭材料查询，经工作人员审核。",
        "您的委托；去世者的近亲属为自身合法、正当利益（个人信息保护法第四十九条）。",
        "如果您没有委托过，请点“我有疑问”。",
    ),
    Kind.CONSENT: Words(
        "银行、用人单位等机构凭您的授权查询，只能看您同意的条目，次数和日期也由您定。",
        "您的单独同意（个人信息保护法第十三条第一项、第二十三条；征信业管理条例第十八条）。",
        "可以随时在“我的授权”里撤回；没有同意过的，请点“我没有同意”。",
    ),
    Kind.DUTY: Words(
        "行政机关为办理具体案件或者事项，先登记事由和案件编号，再查看职责需要的条目。不需要您同意，但必须有法定职责。",
        "为履行法定职责所必需，不得超出职责必需的范围（个人信息保护法第十三条第三项、第三十四条）。",
        "不知道为什么查您、觉得查得太多的，请点“我有疑问”：由该单位没有参与查询的负责人说明，审计员核对。",
    ),
    Kind.PUBLIC: Words(
        "有人在公示网站上输入了您的完整姓名和证件号码或者文书号，只能看到依法公示、已经脱敏的内容。",
        "法律规定必须公开的行政处罚等决定（行政处罚法第四十八条）。",
        "公众查询不登记查询人。公示内容有误或者已经到期的，请对那条记录提出异议。",
    ),
    Kind.OFFICIAL: Words(
        "人民法院、人民检察院、监察机关等凭公函查询，只能看案件需要的范围。",
        "法律规定的调查、审理职权（个人信息保护法第十三条第三项、第三十五条）。",
        "对查询有疑问的，请点“我有疑问”。",
    ),
}  # fmt: skip
