"""What the database refuses, in words: its rules have names, and each name has one sentence for people."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django import forms
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, ProgrammingError, transaction

_INSUFFICIENT_PRIVILEGE = "42501"  # what append-only tables answer
UNKNOWN = "数据库没有接受这次办理，内容没有改动。请核对后重试；仍不成功请联系运维人员。"
SENTENCES = {
    "itemversion_is_born_a_draft": "新版本须从草案开始。",
    "itemversion_origin_is_fixed": "版本所属的条目、版本号和起草人不能改。",
    "itemversion_is_written_as_a_draft_only": "只有草案可以修改。需要修改请先退回。",
    "itemversion_may_only_end_earlier": "版本的有效期间只能提前结束，不能延长或者改期。",
    "itemversion_moves_along_its_arrows": "这个版本的状态已经变化，不能再这样办理。请刷新页面查看现在的状态。",
    "itemversion_is_moved_by_somebody": "这一步须有办理人。",
    "itemversion_approved_by_another": "起草、提交、法制审核和批准须由不同的人办理。",
    "itemversion_consults_the_public": "须先登记征求意见的起草说明。",
    "itemversion_has_no_fault": "这个版本还有没补齐的内容，请按“还缺什么”逐条改正。",
    "itemversion_is_published_in_an_edition": "条目须随目录版本发布，且发布日期不晚于生效日期。",
    "itemversion_is_in_force_by_its_dates": "这个版本今天没有有效的依据或影响评估，或者还没到生效日期，不能现行。"
    "请先核对依据是否废止、影响评估是否到期。",
    "itemversion_is_retired_by_an_edition": "条目须随目录版本停用，并写明已有记录如何处理。",
    "itemversion_is_kept": "只有从未提交的草案可以删除。",
    "itemversion_number_once_per_item": "刚才有人为该条目起草了新版本。请刷新页面查看。",
    "itemversion_one_under_way_per_item": "该条目已有一个办理中的版本，请先办完或退回。",
    "field_is_not_prohibited": "数据项含有禁止归集的内容，不能保存。",
    "field_code_once_per_version": "两个数据项的字段名相同，请改成不同的。",
    "field_binding_once_per_version": "两个数据项对应同一个记录项，请只留一个。",
    "field_of_codes_has_a_code_set": "单选、多选代码的数据项须选择代码集。",
    "publicationperiod_once_per_severity": "同一失信程度只能填一行公示期。",
    "publicationperiod_min_is_not_above_max": "最短公示期不能长于最长公示期。",
    "publicationperiod_at_most_three_years": "公示期最长 36 个月。",
    "sharingscope_duty_once_per_organisation": "同一单位的同一事项只能填一行。",
    "item_is_what_it_is": "条目提交以后，编码、类别和性质不能改。",
    "catalogue_item_code_key": "这个条目编码已被使用，请换一个顺序号。",
    "item_code_has_the_shape_of_the_catalogue": "条目编码应为“FJ1-类别两位-单位四位字母-顺序号四位”。",
    "instrument_in_use_keeps_its_rank": "已有条目以该文件为依据，层级、适用地域和施行日期不能改。文件失效请登记废止。",
    "instrument_verified_by_somebody": "核对人和核对日期须同时填写。",
    "article_once_per_instrument": "同一文件的同一条款只能填一行。",
    "impactassessment_is_kept": "影响评估复核后不能修改或删除；情况有变请另做一份。",
    "impactassessment_lasts_three_years_at_most": "影响评估的有效期最长三年。",
    "catalogue_impactassessment_number_key": "这个影响评估编号已被使用。",
    "consultation_is_long_enough": "征求意见的时间不足法定天数，或者尚未期满。",
    "consultation_keeps_its_first_day": "征求意见的开始日期不能改。",
    "comment_is_kept": "公众意见不能修改或删除。",
    "comment_while_open": "征求意见已经结束。",
    "prohibited_words_only_grow": "禁止归集的类别和关键词只能增加，不能删改。",
    "edition_is_published_today": "目录版本在发布当天登记；补录以前的版本须填写原发布文号。",
    "catalogue_edition_number_key": "这个版本号已被使用，请换一个。",
    "catalogue_edition_previous_id_key": "刚才有人发布了新的目录版本。请重新预览后再发布。",
    "retirement_not_before_its_edition": "停用日期不能早于目录版本的发布日期。",
    "catalogue_retirement_item_id_key": "该条目已经停用。",
}


def rule_of(error: BaseException) -> str:
    """Return the name of the rule of the database that refused, or nothing."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""


def sentence(error: IntegrityError) -> str:
    """Return what a rule of the catalogue means."""
    return meaning(error, SENTENCES, "catalogue")


def meaning(error: IntegrityError, sentences: dict[str, str], app: str) -> str:
    """Return what a rule of the database means: by the sentences given, or by what an app's constraints say themselves."""
    name = rule_of(error)
    return sentences.get(name) or _from_models(app).get(name) or UNKNOWN


def _from_models(app: str) -> dict[str, str]:
    """Return the sentences that constraints carry themselves."""
    return {
        constraint.name: str(constraint.violation_error_message)
        for model in apps.get_app_config(app).get_models()
        for constraint in model._meta.constraints
        if constraint.violation_error_message != constraint.default_violation_error_message
    }


@contextmanager
def in_words() -> Iterator[None]:
    """Do something whole or not at all; what the database refuses comes out as a ValidationError with a sentence."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ValidationError(sentence(error), code="database") from error
    except ProgrammingError as error:
        if getattr(error.__cause__, "pgcode", "") != _INSUFFICIENT_PRIVILEGE:
            raise
        raise ValidationError("这类内容只能增加，不能修改或删除。", code="database") from error


@dataclass(frozen=True)
class Refusal:
    """Why a deed was not done."""

    error: PermissionDenied | ValidationError

    @property
    def reasons(self) -> list[str]:
        """Return the reasons in sentences."""
        if isinstance(self.error, ValidationError):
            return list(self.error.messages)
        return [str(self.error) or "您没有办理这件事的职责。"]

    @property
    def status(self) -> int:
        """Return the status of the answer that tells it."""
        return 422 if isinstance(self.error, ValidationError) else 403

    def tell(self, form: forms.BaseForm) -> None:
        """Show the reasons beside the fields they are about, or above the form."""
        by_field = getattr(self.error, "error_dict", None) or {"": self.reasons}
        for name, problems in by_field.items():
            form.add_error(name if name in form.fields else None, problems)


def attempt(deed: Callable[[], object]) -> Refusal | None:
    """Do a deed whole or not at all; return why it was refused, or None when it is done."""
    try:
        with in_words():
            deed()
    except (PermissionDenied, ValidationError) as error:
        return Refusal(error)
    return None
