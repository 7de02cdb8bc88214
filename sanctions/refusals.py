"""What the database refuses about rosters, cases and listings, in words: each rule has a name and one sentence for people."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from catalogue.refusals import meaning, rule_of

SENTENCES = {
    "rosterversion_has_a_catalogue_item": "名单制度须先有记录归入的目录条目（06 类、失信），才能启用。",
    "rosterversion_basis_is_of_the_level": "设列依据的层级不够，或者已经废止。全国性名单须依据法律、行政法规、党中央和国务院政策文件或者"
    "部门规章，地方性名单只能依据地方性法规（国办发〔2020〕49号）。",
    "rosterversion_term_has_an_end": "列入须有期限；只有转载的法院名单可以由法院决定。",
    "rosterversion_public_on_a_basis": "公示须另有法律、法规或者国务院决定、命令作为公开依据，且现行有效。",
    "rosterversion_publishes_what_the_item_lets_out": "公示的数据项须是目录条目中公众可见的数据项。",
    "rosterversion_clocks_are_known": "有时限代码在时限规则表中没有现行规则，请核对。",
    "rosterversion_is_proposed_by_the_credit_office": "只有省信用办可以提出名单制度。",
    "rosterversion_is_confirmed_by_the_credit_office": "只有省信用办可以确认名单制度。",
    "sanctions_rosterversion_is_fixed": "名单制度的版本不能修改，请提出新版本。",
    "sanctions_rosterversion_confirmed_by_another": "提出人不能确认自己提出的内容，须由另一名工作人员确认。",
    "rosterversion_ends_once": "版本的停用日期只能由新版本定一次。",
    "roster_is_what_it_is": "启用过的名单制度，代码、范围、来源和目录条目不能改，也不能删除。",
    "measure_rests_on_a_published_basis": "措施须已公布，且依据的文件现行有效。",
    "measure_basis_is_of_the_level": "减损权益、增加义务的措施（A 类）须直接援引法律、法规或者党中央、国务院政策文件。",
    "measure_names_its_rosters": "请选择措施适用的名单。",
    "sanctions_measure_is_fixed": "措施的版本不能修改，请提出新版本。",
    "rostergrant_is_no_longer_than_the_rule": "授权最长到时限规则 D73 规定的日期，需要继续的到期前另行申请。",
    "rostergrant_is_for_departments": "只有行政机关和公共管理机构可以办理、核查名单。",
    "rostergrant_of_a_mirror_is_to_check_only": "转载的法院名单不在本平台认定，只能授权核查。",
    "rostergrant_is_not_for_oneself": "您所在的单位会用到这项授权，不能由您申请或者确认。",
    "rostergrant_is_taken_back_once": "只有现行的授权可以收回，且只收回一次。",
    "listingcase_under_a_roster_in_force": "这个名单制度今天没有现行版本，或者其依据已经废止，不能列入。转载名单不在本平台立案。",
    "listingcase_moved_by_its_duty": "您没有办理这一步的职责，或者您的单位没有这个名单的现行授权。",
    "listingcase_names_whom_the_roster_names": "名单制度没有规定这一人员类别或者这一行为，不能立案。",
    "listingcase_rests_on_an_effective_document": "认定文书须已经生效，请核对文书日期和生效日期。",
    "listingcase_is_about_somebody_alive": "系统登记当事人已经死亡，或者其号码已并入另一个号码，不能列入。",
    "listingcase_asks_the_authority_above": "这个名单须经上级机关同意：立案时写明上级机关，同意之后才能决定列入。",
    "listingcase_begins_at_the_beginning": "案件须从立案开始。",
    "listingcase_moves_along_its_arrows": "案件现在的状态不能办理这一步，或者内容已经定稿。请刷新页面查看案件进展。",
    "listingcase_rests_on_its_paper": "请先登记这一步所据的文书。",
    "listingcase_moved_for_a_reason": "请写明理由。",
    "listingcase_says_what_the_notice_must": "请先写全事实、理由和依据、列入事由和证据清单；责任人员还须写明所在单位。",
    "listingcase_within_the_roster": "拟列入期限超过名单制度规定的期限，或者名单制度没有规定公示。",
    "listingcase_is_served_after_it_is_signed": "送达日期须在文书签发之后、不晚于今天，并写明送达方式。",
    "listingcase_is_answered_in_time": "陈述申辩期已满。",
    "listingcase_waits_for_the_window": "陈述申辩期还没有满，不能办理这一步。",
    "listingcase_answers_the_defence": "请先写明复核意见，逐条回应陈述申辩。",
    "listingcase_is_remedied_where_the_roster_says": "这个名单制度没有规定决定前改正可以不列入。",
    "listingcase_has_a_legal_opinion": "请先写明法制审核意见。",
    "listingcase_says_why_it_decides": "请写明决定的理由。",
    "listingcase_term_not_worse_than_noticed": "决定的期限不能长于告知书写明的期限，也不能超过现行名单制度的规定。",
    "listingcase_tells_the_way_out": "信用修复告知书须与决定书一并送达，请先登记信用修复告知书。",
    "listingcase_is_listed_after_service": "公告送达的期限还没有满，不能列入。",
    "listingcase_ends_in_the_register": "名单记录没有随之撤回、修复或者撤销，这一步没有办理。请重试；仍不成功请联系运维人员。",
    "listingcase_ends_on_its_day": "列入期限还没有届满。",
    "listingcase_early_where_the_roster_says": "这个名单制度没有规定提前移出，不能提前移出。",
    "listingcase_early_after_its_wait": "列入还没有满名单制度规定的等待期，不能提前移出。可以提前移出的日期见案件页“列入”一栏。",
    "listingcase_early_on_all_conditions": "提前移出须具备名单制度规定的全部条件，请逐项核对证据后勾选。",
    "listingcase_each_duty_by_another": "主办、协办、复核、法制审核、上级同意和决定须由不同的人办理。",
    "casefile_is_written_at_its_step": "这一内容已经定稿，不能再改。",
    "casemeasure_as_noticed": "决定的措施不能超出告知书写明的措施。",
    "casemeasure_is_in_force": "有措施已经停用，或者不适用于这个名单、这类人员。请重新选择。",
    "casepaper_is_made": "文书日期晚于今天，请核对。",
    "listing_public_only_after_service": "最早从送达的下一个工作日起公示，最晚到列入期满；决定没有写明公示的不公示。",
    "listing_is_kept": "列入的内容以决定书为准，不能修改。",
}


def sentence(error: IntegrityError) -> str:
    """Return what a rule about rosters, cases and listings means."""
    return meaning(error, SENTENCES, "sanctions")


@contextmanager
def in_words() -> Iterator[None]:
    """Do something whole or not at all; what the database refuses comes out as a ValidationError with a sentence.

    The error's code is the name of the rule.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ValidationError(sentence(error), code=rule_of(error) or "database") from error
