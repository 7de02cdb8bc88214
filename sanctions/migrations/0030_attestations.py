"""Attestations that no adverse record was in force for some years: the rule, what was issued, what it said."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sanctions", "0027_reward_deadlines"),
        ("access", "0045_consent_over_years"),
        ("accounts", "0015_passwords_anew"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Attestation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=21, unique=True, verbose_name="证明编号")),
                (
                    "way",
                    models.CharField(
                        choices=[("online", "本人网上办理"), ("consent", "机构经本人授权")],
                        max_length=7,
                        verbose_name="方式",
                    ),
                ),
                ("years", models.PositiveSmallIntegerField(verbose_name="连续几年")),
                ("since", models.DateField(editable=False, verbose_name="自")),
                ("as_of", models.DateField(editable=False, verbose_name="至")),
                ("valid_until", models.DateField(editable=False, help_text="当天仍有效", verbose_name="有效期至")),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), null=True, size=None, verbose_name="条目"
                    ),
                ),
                ("query_seq", models.BigIntegerField(verbose_name="查询日志号")),
                (
                    "issued_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="出具时间"
                    ),
                ),
                ("code_hash", models.BinaryField(verbose_name="验证码（索引）")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="办理人",
                    ),
                ),
                (
                    "consent_use",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attestation",
                        to="access.consentuse",
                        verbose_name="授权使用",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                        verbose_name="机构",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attestations",
                        to="accounts.person",
                        verbose_name="当事人",
                    ),
                ),
            ],
            options={
                "verbose_name": "无失信记录证明",
                "verbose_name_plural": "无失信记录证明",
                "db_table_comment": "append-only: every attestation issued, never what it said",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AttestationEnd",
            fields=[
                (
                    "attestation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="end",
                        serialize=False,
                        to="sanctions.attestation",
                    ),
                ),
                ("query_seq", models.BigIntegerField(verbose_name="查询日志号")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
            ],
            options={
                "verbose_name": "证明的停用",
                "verbose_name_plural": "证明的停用",
                "db_table_comment": "append-only: attestations stopped by their persons",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AttestationRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "待确认"),
                            ("in_force", "现行"),
                            ("superseded", "已被新版替代"),
                            ("withdrawn", "已退回"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("proposed_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="提出时间")),
                ("confirmed_at", models.DateTimeField(blank=True, null=True, verbose_name="确认时间")),
                ("withdrawn_reason", models.CharField(blank=True, max_length=200, verbose_name="退回理由")),
                (
                    "severities",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(
                            choices=[(0, "不适用"), (1, "轻微"), (2, "一般"), (3, "严重")]
                        ),
                        size=None,
                        verbose_name="计入的失信程度",
                    ),
                ),
                ("years_from", models.PositiveSmallIntegerField(default=1, verbose_name="最少几年")),
                ("years_to", models.PositiveSmallIntegerField(default=5, verbose_name="最多几年")),
                ("years_usual", models.PositiveSmallIntegerField(default=3, verbose_name="通常几年")),
                ("basis", models.CharField(max_length=300, verbose_name="依据和理由")),
                ("source", models.CharField(max_length=200, verbose_name="出处")),
                (
                    "confidence",
                    models.CharField(
                        choices=[("H", "已核对"), ("M", "待核对"), ("L-M", "未核实"), ("D", "本站设定")],
                        max_length=3,
                        verbose_name="核对程度",
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="启用日期")),
                (
                    "valid_to",
                    models.DateField(blank=True, help_text="自这一天起不再适用", null=True, verbose_name="停用日期"),
                ),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="确认人",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="随系统载入的数据没有提出人和确认人",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提出人",
                    ),
                ),
            ],
            options={
                "verbose_name": "无失信记录证明规则",
                "verbose_name_plural": "无失信记录证明规则",
                "ordering": ["-valid_from", "-id"],
                "permissions": [
                    ("propose_attestationrule", "提出无失信记录证明规则"),
                    ("confirm_attestationrule", "确认无失信记录证明规则"),
                ],
                "abstract": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.AddField(
            model_name="attestation",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="sanctions.attestationrule",
                verbose_name="规则",
            ),
        ),
        migrations.CreateModel(
            name="AttestationAnswer",
            fields=[
                (
                    "attestation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="answer",
                        serialize=False,
                        to="sanctions.attestation",
                    ),
                ),
                ("holds", models.BooleanField(editable=False, verbose_name="能够证明")),
                ("sha256", models.CharField(blank=True, max_length=64, verbose_name="文件的 SHA-256")),
                ("sealed", models.BinaryField(null=True, verbose_name="文件（密封）")),
            ],
            options={
                "verbose_name": "证明的回答",
                "verbose_name_plural": "证明的回答",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sealed__isnull", True), ("sha256", "")),
                            models.Q(("sealed__isnull", False), ("sha256__regex", "^[0-9a-f]{64}$")),
                            _connector="OR",
                        ),
                        name="attestationanswer_file_is_known_by_sha256",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="attestationrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confirmed_by__isnull", True),
                    models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="attestationrule_confirmed_by_another",
                violation_error_message="提出人不能确认自己提出的内容，须由另一名工作人员确认。",
            ),
        ),
        migrations.AddConstraint(
            model_name="attestationrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at__isnull", True), ("state__in", ["draft", "withdrawn"])),
                    models.Q(("confirmed_at__isnull", False), ("state__in", ["in_force", "superseded"])),
                    _connector="OR",
                ),
                name="attestationrule_in_force_means_confirmed",
            ),
        ),
        migrations.AddConstraint(
            model_name="attestationrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "withdrawn"), _negated=True),
                    models.Q(("withdrawn_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="attestationrule_withdrawn_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="attestationrule",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("state", "in_force")),
                expressions=[
                    (
                        models.Func(
                            models.F("valid_from"), models.F("valid_to"), models.Value("[)"), function="daterange"
                        ),
                        "&&",
                    )
                ],
                name="attestationrule_in_force_do_not_overlap",
                violation_error_message="现行规则的有效期间不能重叠。",
            ),
        ),
        migrations.AddConstraint(
            model_name="attestationrule",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("basis", ""), _negated=True), models.Q(("source", ""), _negated=True)),
                name="attestationrule_says_why",
                violation_error_message="请写明依据和出处。",
            ),
        ),
        migrations.AddConstraint(
            model_name="attestationrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("severities__contained_by", [2, 3]), ("severities__len__gte", 1)),
                name="attestationrule_counts_what_is_graver_than_minor",
                violation_error_message="只能计入一般、严重失信记录，至少选一种；轻微的不计入。",
            ),
        ),
        migrations.AddConstraint(
            model_name="attestationrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("years_from__gte", 1),
                    ("years_to__gte", models.F("years_usual")),
                    ("years_to__lte", 10),
                    ("years_usual__gte", models.F("years_from")),
                ),
                name="attestationrule_years_are_a_range",
                violation_error_message="年数须为：1 ≤ 最少 ≤ 通常 ≤ 最多 ≤ 10。",
            ),
        ),
        migrations.AddConstraint(
            model_name="attestationrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                ),
                name="attestationrule_ends_after_it_begins",
                violation_error_message="停用日期须晚于启用日期。",
            ),
        ),
        migrations.AddIndex(
            model_name="attestation",
            index=models.Index(fields=["person", "-id"], name="attestation_by_person"),
        ),
        migrations.AddConstraint(
            model_name="attestation",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__regex", "^ZM[0-9]{18}[0-9A-Z]$")), name="attestation_number_is_well_formed"
            ),
        ),
        migrations.AddConstraint(
            model_name="attestation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("consent_use__isnull", True),
                        ("items__isnull", True),
                        ("organisation__isnull", True),
                        ("way", "online"),
                    ),
                    models.Q(
                        ("consent_use__isnull", False),
                        ("items__len__gte", 1),
                        ("organisation__isnull", False),
                        ("way", "consent"),
                    ),
                    _connector="OR",
                ),
                name="attestation_to_an_institution_rests_on_a_use",
            ),
        ),
        migrations.AddConstraint(
            model_name="attestation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("since__lt", models.F("as_of")), ("valid_until__gte", models.F("as_of")), ("years__gte", 1)
                ),
                name="attestation_looks_back",
            ),
        ),
    ]
