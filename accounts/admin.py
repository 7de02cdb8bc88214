"""Organisations, users and the counter, for those whose duty they are."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html_join
from django.views.decorators.debug import sensitive_post_parameters
from django_q.models import Failure, OrmQ, Schedule, Success

from accounts import people, second_factors
from accounts.actions import confirm_proof, prove_identity, refuse_proof, register_organisation, why_not_decide
from accounts.models import (
    IdentityProof,
    Organisation,
    Region,
    RegionSuccession,
    Role,
    RoleConflict,
    SignInLine,
    SignInRule,
    User,
)
from accounts.sessions import reference, sessions_of
from accounts.sign_in import end_sessions, unlock
from accounts.sign_in_log import locked_until, name_index, write
from accounts.sign_in_models import FAILURES, Event
from accounts.sign_in_rules import limits, set_limit
from accounts.waiting import without_phone
from accounts.web import do_and_say, door_of, require_step_up, sentence_of, signed_in
from creditfujian.lib import masking
from creditfujian.lib.masking import Profile

for model in (Group, Failure, OrmQ, Schedule, Success):  # ours say the same in the field's words
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class ReadOnlyAdmin(admin.ModelAdmin):
    """A list and a page to read; nothing to change."""

    actions = None
    show_facets = admin.ShowFacets.NEVER  # counts beside filters are counts of the whole table

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AboutPersonsAdmin(ReadOnlyAdmin):
    """A list that says, masked, whom each row is about: it opens the persons of the page's rows, and of no others."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        found.result_list = people.opened_all(found.result_list)
        return found


@admin.register(Region)
class RegionAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "kind", "parent", "valid_from", "valid_to"]
    list_filter = ["kind"]
    search_fields = ["code", "name"]
    list_select_related = ["parent"]


@admin.register(RegionSuccession)
class RegionSuccessionAdmin(ReadOnlyAdmin):
    list_display = ["predecessor", "successor", "since", "source"]
    list_select_related = ["predecessor", "successor"]


@admin.register(RoleConflict)
class RoleConflictAdmin(ReadOnlyAdmin):
    list_display = ["role_a", "role_b", "reason"]
    search_fields = ["reason"]


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin):
    list_display = ["name", "uscc", "code", "kind", "region", "valid_to"]
    list_filter = ["kind"]
    search_fields = ["name", "uscc"]
    list_select_related = ["region"]

    def has_delete_permission(self, request: HttpRequest, obj: Organisation | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Organisation, form: forms.ModelForm, change: bool) -> None:
        if change:
            obj.save()
            return
        fields = {name: form.cleaned_data[name] for name in form.cleaned_data if name != "predecessors"}
        obj.pk = register_organisation(**fields).pk
        obj.refresh_from_db()


class RoleField(forms.ModelMultipleChoiceField):
    """Roles by their titles."""

    def label_from_instance(self, group: Group) -> str:
        return Role(group.name).label


class OfAnOffice(forms.ModelForm):
    """An account that acts for an office: without one it would have nobody to act for (`user_kind_fits_organisation_and_person`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "organisation" in self.fields:
            self.fields["organisation"].required = True


class StaffForm(OfAnOffice):
    """A staff account; the roles are the security administrator's to give."""

    groups = RoleField(
        label="角色", queryset=Group.objects.filter(name__in=Role.values), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    class Meta:
        model = User
        fields = ["username", "name", "organisation", "is_active", "groups"]

    def clean_groups(self) -> QuerySet[Group]:
        groups = self.cleaned_data["groups"]
        held = {group.name for group in groups}
        for conflict in RoleConflict.objects.filter(role_a__in=held, role_b__in=held):
            raise ValidationError(f"{conflict}：{conflict.reason}。", code="conflict")
        return groups


class NewStaffForm(OfAnOffice):
    """A new staff account with its first password."""

    password = forms.CharField(label="初始密码", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    class Meta:
        model = User
        fields = ["username", "name", "organisation"]

    def clean(self) -> dict[str, Any]:
        from django.contrib.auth.password_validation import validate_password

        data = super().clean() or {}
        if data.get("password"):
            try:
                validate_password(data["password"], User(username=data.get("username", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return data


class FirstPasswordForm(AdminPasswordChangeForm):
    """A password that an administrator sets is one that the holder changes at once."""

    def save(self, commit: bool = True) -> User:
        user = super().save(commit=False)
        user.must_change_password = True
        user.save()
        return user


class WithoutRoleFilter(admin.SimpleListFilter):
    """Accounts that wait for a role."""

    title = "是否有角色"
    parameter_name = "without_role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "尚未分配角色")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(groups=None) if self.value() else queryset


class WithoutPhoneFilter(admin.SimpleListFilter):
    """Accounts that nobody can use yet."""

    title = "是否绑定手机"
    parameter_name = "without_phone"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "未绑定，也没有绑定码")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(pk__in=without_phone()) if self.value() else queryset


@admin.register(User)
class StaffAdmin(UserAdmin):
    """System administrators open accounts, security administrators give roles; neither does the other's part."""

    form = StaffForm
    add_form = NewStaffForm
    change_password_form = FirstPasswordForm
    change_form_template = "admin/accounts/user/change_form.html"
    list_display = ["username", "name", "organisation", "role_list", "is_active", "last_login"]
    list_filter = ["is_active", "kind", WithoutRoleFilter, WithoutPhoneFilter, "groups"]
    search_fields = ["username", "name", "organisation__name"]
    list_select_related = ["organisation"]
    ordering = ["username"]
    filter_horizontal = ()
    fieldsets = ((None, {"fields": ["username", "name", "organisation", "is_active", "groups"]}),)
    add_fieldsets = ((None, {"fields": ["username", "name", "organisation", "password"]}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        at_work = [User.Kind.STAFF, User.Kind.INSTITUTION]  # a system's account stands with its token
        return super().get_queryset(request).filter(kind__in=at_work).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        if obj is None:
            return []
        if request.user.has_perm("accounts.assign_roles"):
            return ["username", "name", "organisation"]
        return ["username", "role_list"]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        if obj.kind == User.Kind.INSTITUTION:  # roles are of staff; an operator asks for its institution
            return ((None, {"fields": ["username", "name", "organisation", "is_active"]}),)
        roles = "groups" if request.user.has_perm("accounts.assign_roles") else "role_list"
        return ((None, {"fields": ["username", "name", "organisation", "is_active", roles]}),)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        if not change:
            outside = obj.organisation is not None and obj.organisation.kind == Organisation.Kind.INSTITUTION
            obj.kind, obj.is_staff = (User.Kind.INSTITUTION if outside else User.Kind.STAFF), not outside
            obj.set_password(form.cleaned_data["password"])
            obj.must_change_password = True
        obj.save()

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.sign_in_view)
        return [path("<int:pk>/sign-in/", view, name="accounts_user_sign_in"), *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Opening accounts and giving roles need the second factor again."""
        deed = super().changeform_view
        if request.method == "POST":
            deed = require_step_up(deed)
        return deed(request, object_id, form_url, extra_context)

    @require_step_up
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Set a password anew: the system administrator's, who cannot bind a phone to the account (binding codes)."""
        if not request.user.has_perm("accounts.add_user"):
            raise PermissionDenied("只有系统管理员可以重设密码。")
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == 302:
                user, by, door = User.objects.get(pk=id), signed_in(request), door_of(request)
                write(Event.PASSWORD_RESET, user, door, by=by)
                sessions_of(user).delete()
        return response

    def sign_in_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How an account signs in, for the security administrator: lock, sessions, binding code."""
        if not request.user.has_perm("accounts.guard_sign_in"):
            raise PermissionDenied("只有安全管理员可以管理登录安全。")
        user = self.get_queryset(request).filter(pk=pk).first()
        if user is None:
            raise Http404
        if request.method == "POST":
            return require_step_up(self._guard)(request, user)
        return self._state_of(request, user)

    def _guard(self, request: HttpRequest, user: User) -> HttpResponse:
        by, door, deed = signed_in(request), door_of(request), request.POST.get("deed", "")
        if deed == "binding":
            try:
                kept, code = second_factors.issue_binding_code(user, by=by, door=door)
            except ValidationError as error:
                messages.error(request, sentence_of(error))
            else:
                return self._state_of(request, user, binding=kept, code=code)
        elif deed == "end":
            do_and_say(request, lambda: end_sessions(user, door, by=by), "该账户的会话已全部结束。")
        elif deed == "unlock":
            do_and_say(request, lambda: unlock(user, door, by=by), "已解除锁定，可以重新登录。")
        elif deed:
            do_and_say(request, lambda: end_sessions(user, door, by=by, only=deed), "会话已结束。")
        return redirect("admin:accounts_user_sign_in", user.pk)

    def _state_of(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        limit = limits()
        locked = locked_until(name_index(user, ""), door_of(request).nowhere(), limit, known=False)
        failed = SignInLine.objects.filter(account=user, event__in=FAILURES, at__gt=timezone.now() - limit.lock)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"{user} 的登录安全", "who": user,
            "factors": second_factors.held_by(user), "sessions": [(reference(s), s) for s in sessions_of(user)],
            "lines": SignInLine.objects.filter(account=user).select_related("by")[:20], "locked": locked,
            "failed": failed.exists(),  # in a browser they always use they may be locked as well
            "waiting": user.binding_codes.filter(used_at=None).first(), **more,
        }  # fmt: skip
        return render(request, "admin/accounts/user/sign_in.html", context)

    @admin.display(description="角色")
    def role_list(self, user: User) -> str:
        held = {group.name for group in user.groups.all()}
        return format_html_join("、", "{}", [(role.label,) for role in Role if role.value in held]) or "—"


@admin.register(SignInLine)
class SignInLineAdmin(ReadOnlyAdmin):
    """What happened at the door, for the auditor and the security administrator."""

    list_display = ["at", "whose", "event", "method", "network", "by_", "note"]
    list_filter = ["event", "method"]
    search_fields = ["account__username", "account__name"]
    list_select_related = ["account", "by"]
    fields = ["at", "whose", "event", "method", "network", "known_browser", "by_", "note"]
    readonly_fields = ["whose", "by_"]

    @admin.display(description="账户")
    def whose(self, line: SignInLine) -> str:
        return _name_of(line.account)

    @admin.display(description="办理人")
    def by_(self, line: SignInLine) -> str:
        return _name_of(line.by)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SignInLine], search_term: str
    ) -> tuple[QuerySet[SignInLine], bool]:
        """Find officials by name: no citizen is found by a name that is not shown."""
        if not search_term:
            return queryset, False
        found = Q(account__username__icontains=search_term) | Q(account__name__icontains=search_term)
        return queryset.filter(found, account__organisation__isnull=False), False


def _name_of(account: User | None) -> str:
    """Name an account to those who watch over all of them: a citizen's as the public would read it."""
    if account is None:
        return ""
    return str(account) if account.organisation_id else masking.name(str(account), Profile.PUBLIC)


class LimitForm(forms.Form):
    """A limit's new value, and why."""

    value = forms.IntegerField(label="新限值", min_value=1)
    source = forms.CharField(label="依据", max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    reason = forms.CharField(label="变更理由", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))


@admin.register(SignInRule)
class SignInRuleAdmin(ReadOnlyAdmin):
    """The limits of signing in, and what they rest on; setting one anew leaves the old row."""

    list_display = ["code", "what", "value", "unit", "since", "set_by"]
    list_select_related = ["set_by"]
    fields = ["code", "what", "value", "unit", "least", "most", "source", "since", "set_by", "reason"]
    change_form_template = "admin/accounts/signinrule/change_form.html"

    @admin.display(description="限值")
    def what(self, rule: SignInRule) -> str:
        return rule.get_code_display()

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_step_up(self.set_view))
        return [path("<int:pk>/set/", view, name="accounts_signinrule_set"), *super().get_urls()]

    def set_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Set a limit anew: the security administrator's."""
        if not request.user.has_perm("accounts.add_signinrule"):
            raise PermissionDenied("只有安全管理员可以修改登录限值。")
        rule = get_object_or_404(SignInRule, pk=pk)
        form = LimitForm(request.POST or None, initial={"value": rule.value, "source": rule.source})
        if request.method == "POST" and form.is_valid():
            try:
                new = set_limit(rule, by=signed_in(request), **form.cleaned_data)
            except ValidationError as error:
                form.add_error("value", sentence_of(error))
            else:
                messages.success(request, "新的限值已经生效；已经登录的会话仍按原来的限值。")
                return redirect("admin:accounts_signinrule_change", new.pk)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": f"修改限值：{rule.get_code_display()}",
            "form": form, "rule": rule,
        }  # fmt: skip
        return render(request, "admin/accounts/signinrule/set.html", context, status=422 if form.errors else 200)


class SecondLookForm(forms.Form):
    """What the second official reads off the card."""

    id_number = forms.CharField(
        label="身份证号码", max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    document_seen = forms.BooleanField(label="已查验居民身份证原件，并确认持证人就是本人")


class ProofForm(SecondLookForm):
    """What the clerk reads off the card."""

    name = forms.CharField(label="姓名", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    lifts_factors = forms.BooleanField(
        label="手机和恢复码都不在了，重设密码时一并解除第二步验证", required=False,
        help_text="由本人当面提出才勾选。",
    )  # fmt: skip

    field_order = ("name", "id_number", "lifts_factors", "document_seen")


class WaitingProofFilter(admin.SimpleListFilter):
    """Proofs of identity that wait for the second official."""

    title = "是否待复核"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "待我复核")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[IdentityProof]) -> QuerySet[IdentityProof]:
        if not self.value():
            return queryset
        return queryset.filter(decided_by=None, expires_at__gt=timezone.now()).exclude(clerk=signed_in(request).pk)


@admin.register(IdentityProof)
class IdentityProofAdmin(AboutPersonsAdmin):
    """The counter: two officials see the card, the person gets a code; nothing of any file is shown."""

    add_label = "核验身份"
    list_display = ["checked_at", "masked_person", "clerk", "standing", "decided_by", "expires_at", "used_at"]
    list_filter = [WaitingProofFilter]
    list_select_related = ["clerk", "decided_by"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.add_identityproof")

    def get_queryset(self, request: HttpRequest) -> QuerySet[IdentityProof]:
        return super().get_queryset(request).filter(organisation=signed_in(request).organisation_id)

    @admin.display(description="状态")
    def standing(self, proof: IdentityProof) -> str:
        return proof.standing

    @admin.display(description="当事人")
    def masked_person(self, proof: IdentityProof) -> str:
        person = people.opened(proof)  # of one's own counter: get_queryset
        assert person is not None
        return f"{person.name[:1]}* {person.masked_id(Profile.PUBLIC)}"

    @method_decorator(sensitive_post_parameters("name", "id_number"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            return admin.site.login(request)
        form = ProofForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            data = {name: form.cleaned_data[name] for name in ("id_number", "name", "lifts_factors")}
            try:
                proof = prove_identity(by=signed_in(request), **data)
            except ValidationError as error:
                form.add_error("name" if error.code == "name_conflict" else "id_number", error)
            else:
                messages.success(request, "已登记。请另一名工作人员当面查验证件后复核，由其发放激活码。")
                return redirect("admin:accounts_identityproof_change", proof.pk)
        return self._page(request, "add", "核验身份", form=form)

    @method_decorator(sensitive_post_parameters("id_number"))
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One proof, and for another official of the counter its second look."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        mine = self.get_queryset(request).select_related("clerk", "decided_by", "organisation")
        proof = mine.filter(pk=int(object_id)).first() if object_id.isdecimal() else None
        if proof is None:
            raise Http404
        if request.method == "POST" and request.POST.get("deed") == "refuse":
            by, reason = signed_in(request), request.POST.get("reason", "")
            do_and_say(request, lambda: refuse_proof(proof.pk, reason=reason, by=by), "已退回，不发放激活码。")
            return redirect("admin:accounts_identityproof_change", proof.pk)
        form = SecondLookForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                given = confirm_proof(
                    proof.pk, id_number=form.cleaned_data["id_number"], by=signed_in(request), door=door_of(request)
                )
            except PermissionDenied as error:
                messages.error(request, sentence_of(error))
                return redirect("admin:accounts_identityproof_change", proof.pk)
            except ValidationError as error:
                form.add_error("id_number", error)
            else:
                return self._page(request, "slip", "激活码", proof=given.proof, code=given.code)
        return self._page(
            request, "detail", str(proof), proof=proof, form=form, why_not=why_not_decide(proof, signed_in(request))
        )

    def _page(self, request: HttpRequest, name: str, title: str, **more: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}
        if "proof" in more:
            context["person"] = self.masked_person(more["proof"])
        status = 422 if "form" in more and more["form"].errors else 200
        return render(request, f"admin/accounts/identityproof/{name}.html", context, status=status)


from accounts import token_admin  # noqa: E402, F401 – further pages
