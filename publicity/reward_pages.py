"""Rewards on the site: the person's own (answer, benefits, say, leave) and what is public of others by their consent."""

from collections.abc import Callable

from django import forms
from django.contrib.messages import success
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from access.actions import Asker
from access.web import PUBLIC_SITE, asker
from accounts.models import Person
from accounts.web import client_address, do_and_say
from catalogue.deadline_forms import take_over
from catalogue.deadlines import rule_for
from catalogue.models import Deadline
from creditfujian.errors import too_many
from publicity.actions import count_comment
from publicity.pages import citizens_only, minutes_left, one_page
from sanctions import reward_reading, rewards
from sanctions.models import RewardCase, RewardConsent, RewardStep

Scope, State = rewards.Scope, RewardCase.State
YES_NO = [("yes", "同意"), ("no", "不同意")]


class AnswerForm(forms.Form):
    """The person's answer: to the reward, and to each publicity by itself. Nothing is ticked beforehand."""

    agrees = forms.ChoiceField(
        label="接受推荐、冲突核对和激励措施", choices=YES_NO, widget=forms.RadioSelect,
        error_messages={"required": "请选择同意或者不同意。"},
    )  # fmt: skip
    notice = forms.ChoiceField(
        label="授予以前公示", choices=YES_NO, widget=forms.RadioSelect, required=False,
        help_text="公示 {time}，只显示姓氏、荣誉名称和年度。不同意公示的，不影响授予；不选为不同意。",
    )  # fmt: skip
    publish = forms.ChoiceField(
        label="授予以后公开", choices=YES_NO, widget=forms.RadioSelect, required=False,
        help_text="只显示姓氏、荣誉名称和年度，到激励期满为止。不同意公开的，激励措施一样不少；不选为不同意。",
    )  # fmt: skip

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        notice = self.fields["notice"]
        notice.help_text = str(notice.help_text).format(time=rule_for(rewards.NOTICE, timezone.localdate()).period)

    def answers(self) -> dict[str, bool]:
        """Return each answer; what was left open is no."""
        return {name: value == "yes" for name, value in self.cleaned_data.items()}


class WordsForm(forms.Form):
    """What somebody wants to say."""

    text = forms.CharField(
        label="您的意见", max_length=rewards.LONGEST, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"不超过 {rewards.LONGEST} 字，不写证件号码、电话和他人信息。", error_messages={"required": "请写下您的意见。"},
    )  # fmt: skip


# --- the person's own -------------------------------------------------------------------------------------------


@require_safe
@citizens_only
def me_rewards(request: HttpRequest, person: Person) -> HttpResponse:
    """Show what the person was nominated for, and what they have."""
    return render(request, "publicity/me/rewards.html", one_page(request, RewardCase.objects.of(person)))


Deed = Callable[[Person, str, Asker], object]


def _withdraw(person: Person, number: str, by: Asker) -> object:
    return rewards.withdraw(person, number, by=by)


def _consent(scope: RewardConsent.Scope, *, given: bool) -> tuple[Deed, str]:
    def deed(person: Person, number: str, by: Asker) -> object:
        return rewards.change_consent(person, number, scope, given=given, by=by)

    return deed, f"{'已同意' if given else '已撤回同意：'}{scope.label}，立即生效。"


DEEDS: dict[str, tuple[Deed, str]] = {
    "withdraw": (_withdraw, "您已退出，立即生效。"),
    "allow_notice": _consent(Scope.NOTICE, given=True),
    "forbid_notice": _consent(Scope.NOTICE, given=False),
    "allow_publish": _consent(Scope.PUBLISH, given=True),
    "forbid_publish": _consent(Scope.PUBLISH, given=False),
}
SAY = {"explain": rewards.explain, "comment": rewards.comment}


@require_http_methods(["GET", "HEAD", "POST"])
@citizens_only
def me_reward(request: HttpRequest, person: Person, reward_no: str) -> HttpResponse:
    """One reward: answer, change a consent, say something, leave."""
    case, by = _own(person, reward_no), asker(request, PUBLIC_SITE)
    deed = request.POST.get("deed", "")
    if deed in DEEDS:
        do, told = DEEDS[deed]
        do_and_say(request, lambda: do(person, reward_no, by), told)
        return redirect("me_reward", reward_no)
    form: forms.Form = (WordsForm if deed in SAY else AnswerForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            success(request, _said(person, reward_no, deed, form, by))
        except ValidationError as error:
            take_over(form, error)
        else:
            return redirect("me_reward", reward_no)
    return _page(request, person, case, form, by)


def _said(person: Person, number: str, deed: str, form: forms.Form, by: Asker) -> str:
    """Take an answer or words down, and return what the person is told. Raises ValidationError."""
    if isinstance(form, AnswerForm):
        said = form.answers()
        rewards.answer(person, number, by=by, **said)
        return "已收到您的同意。" if said["agrees"] else "已收到。推荐到此为止，推荐内容已删除，对您没有任何影响。"
    SAY[deed](person, number, form.cleaned_data["text"], by=by)
    return "已收到您的意见。"


def _own(person: Person, number: str) -> RewardCase:
    try:
        return RewardCase.objects.of(person).numbered(number)
    except RewardCase.DoesNotExist as error:
        raise Http404 from error


def _page(request: HttpRequest, person: Person, case: RewardCase, form: forms.Form, by: Asker) -> HttpResponse:
    asks = case.state in (State.SUSPENDED, State.RETURNED)
    hits = reward_reading.own_hits(case, person, by=by) if asks else []
    decided = case.steps.filter(deed__in=[RewardStep.Deed.RETURNED, RewardStep.Deed.REVOKED, RewardStep.Deed.RESUMED])
    words = form if isinstance(form, WordsForm) else WordsForm()
    context = {
        "case": case, "form": form if isinstance(form, AnswerForm) else AnswerForm(), "words": words, "hits": hits,
        "errors": form if form.errors and not _is_shown(case, form) else None,
        "benefits": case.programme.benefits.select_related("organisation", "basis__instrument"),
        "steps": case.steps.order_by("-id"), "decided": decided.order_by("-id").first(),
        "notice": rewards.agrees(case, Scope.NOTICE), "publish": rewards.agrees(case, Scope.PUBLISH),
        "clock": Deadline.objects.of(case).filter(met_on=None).select_related("rule").first(),
    }  # fmt: skip
    return render(request, "publicity/me/reward.html", context, status=422 if form.errors else 200)


def _is_shown(case: RewardCase, form: forms.Form) -> bool:
    """Tell whether the page shows the form, which then says itself what is wrong with it."""
    if isinstance(form, AnswerForm):
        return case.waits_for_the_person
    return case.state == State.RETURNED or case.state == State.SUSPENDED and case.answer_by is not None


# --- public -----------------------------------------------------------------------------------------------------


@require_safe
def public_rewards(request: HttpRequest) -> HttpResponse:
    """Show what is announced and what is published, masked, by consent; no search, no export."""
    page = one_page(request, RewardCase.objects.public().select_related("programme__organisation"))
    return render(request, "publicity/rewards/index.html", {**page, "entries": reward_reading.entries(page["shown"])})


@require_http_methods(["GET", "HEAD", "POST"])
def public_reward(request: HttpRequest, reward_no: str) -> HttpResponse:
    """One public entry, with what may be said against a notice; gone when it ends."""
    try:
        case = RewardCase.objects.public().select_related("programme__organisation").numbered(reward_no)
    except RewardCase.DoesNotExist as error:
        if reward_reading.was_public(reward_no):
            return render(request, "410.html", status=410)
        raise Http404 from error
    form = WordsForm(request.POST or None)
    if request.method == "POST" and case.state == State.NOTICE and form.is_valid():
        if not count_comment(client_address(request)):
            return too_many(request, minutes_left())
        try:
            reward_reading.object_to(case, form.cleaned_data["text"])
        except ValidationError as error:
            take_over(form, error)
        else:
            success(request, "已收到您的意见。答复以前不会授予，答复后在本页公开。")
            return redirect("reward", reward_no)
    context = {
        "entry": reward_reading.entries([case])[0], "form": form, "answers": reward_reading.answers_to(case.pk),
        "benefits": case.programme.benefits.select_related("organisation", "basis__instrument"),
    }  # fmt: skip
    return render(request, "publicity/rewards/entry.html", context, status=422 if form.errors else 200)
