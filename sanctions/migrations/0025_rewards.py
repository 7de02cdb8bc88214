"""Rewards: programmes with their benefits, cases with steps, consents, papers, what stands in the way, objections."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sanctions", "0005_records_of_listings"),
        ("accounts", "0015_passwords_anew"),
        ("catalogue", "0029_one_hand_of_a_system"),
        ("records", "0045_one_answer_to_who_holds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RewardArrow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("deed", models.CharField(max_length=10, verbose_name="办理")),
                (
                    "from_state",
                    models.CharField(
                        choices=[
                            ("nominated", "已推荐"),
                            ("consent", "待本人答复"),
                            ("check", "冲突核对"),
                            ("notice", "公示中"),
                            ("granted", "已授予"),
                            ("published", "已授予并公开"),
                            ("suspended", "暂停"),
                            ("ended", "已终止"),
                            ("returned", "不予授予"),
                            ("declined", "本人未同意"),
                        ],
                        max_length=10,
                        verbose_name="自",
                    ),
                ),
                (
                    "to_state",
                    models.CharField(
                        choices=[
                            ("nominated", "已推荐"),
                            ("consent", "待本人答复"),
                            ("check", "冲突核对"),
                            ("notice", "公示中"),
                            ("granted", "已授予"),
                            ("published", "已授予并公开"),
                            ("suspended", "暂停"),
                            ("ended", "已终止"),
                            ("returned", "不予授予"),
                            ("declined", "本人未同意"),
                        ],
                        max_length=10,
                        verbose_name="至",
                    ),
                ),
                (
                    "actor",
                    models.CharField(
                        choices=[
                            ("nominator", "推荐经办人"),
                            ("person", "本人"),
                            ("decider", "认定单位决定人"),
                            ("calendar", "系统（按日期和事实）"),
                        ],
                        max_length=9,
                        verbose_name="办理人",
                    ),
                ),
            ],
            options={
                "verbose_name": "激励办理的步骤",
                "verbose_name_plural": "激励办理的步骤",
                "db_table_comment": "append-only, written by the database: the arrows of a reward",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("deed", "from_state"), name="rewardarrow_leads_to_one_state")
                ],
            },
        ),
        migrations.CreateModel(
            name="RewardCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("honour", models.CharField(blank=True, max_length=100, verbose_name="荣誉名称")),
                ("year", models.CharField(blank=True, max_length=4, verbose_name="年度")),
                ("award_no", models.CharField(blank=True, max_length=100, verbose_name="认定文号")),
                ("award_on", models.DateField(null=True, verbose_name="认定日期")),
                ("recommended_by", models.CharField(blank=True, max_length=100, verbose_name="推荐的社会组织、媒体")),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="推荐理由")),
                (
                    "nominated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="推荐时间"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("nominated", "已推荐"),
                            ("consent", "待本人答复"),
                            ("check", "冲突核对"),
                            ("notice", "公示中"),
                            ("granted", "已授予"),
                            ("published", "已授予并公开"),
                            ("suspended", "暂停"),
                            ("ended", "已终止"),
                            ("returned", "不予授予"),
                            ("declined", "本人未同意"),
                        ],
                        default="nominated",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "moved_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="进入本状态的时间"
                    ),
                ),
                ("answer_by", models.DateField(null=True, verbose_name="本人答复期限")),
                ("decide_from", models.DateField(null=True, verbose_name="可以决定之日")),
                ("public_to", models.DateField(null=True, verbose_name="公开至（不含）")),
                ("was_public", models.BooleanField(default=False, verbose_name="曾经公开")),
                ("valid_to", models.DateField(null=True, verbose_name="激励期至（不含）")),
                ("record_no", models.CharField(blank=True, max_length=24, verbose_name="记录编号")),
                (
                    "end_kind",
                    models.CharField(
                        blank=True,
                        choices=[("expired", "到期"), ("withdrawn", "本人退出"), ("revoked", "认定单位撤销")],
                        max_length=9,
                        verbose_name="终止方式",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="决定人",
                    ),
                ),
                (
                    "nominated_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="推荐经办人",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                        verbose_name="认定单位",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
            ],
            options={
                "verbose_name": "激励办理",
                "verbose_name_plural": "激励办理",
                "db_table_comment": "append-only to the application, moved by the database: rewards, each with its person",
                "ordering": ["-id"],
                "permissions": [("nominate_reward", "推荐激励"), ("decide_reward", "决定激励")],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RewardPaper",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "deed",
                    models.CharField(
                        choices=[("answer", "答复推荐"), ("withdraw", "退出激励")], max_length=8, verbose_name="事项"
                    ),
                ),
                ("agrees", models.BooleanField(default=False, verbose_name="同意接受推荐和核对")),
                ("notice", models.BooleanField(default=False, verbose_name="同意公示")),
                ("publish", models.BooleanField(default=False, verbose_name="同意授予后公开")),
                ("signed_on", models.DateField(verbose_name="签署日期")),
                ("type", models.CharField(max_length=3, verbose_name="文件类型")),
                (
                    "entered_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="录入时间"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("entered", "待复核"), ("approved", "已生效"), ("returned", "已退回")],
                        default="entered",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="退回理由")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="papers",
                        to="sanctions.rewardcase",
                        verbose_name="激励办理",
                    ),
                ),
                (
                    "checked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="复核人",
                    ),
                ),
                (
                    "entered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="录入人",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="records.sealedfile",
                        verbose_name="扫描件",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
            ],
            options={
                "verbose_name": "激励的纸质答复",
                "verbose_name_plural": "激励的纸质答复",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RewardConsent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("reward", "接受推荐、核对和激励"),
                            ("notice", "授予前公示"),
                            ("publish", "授予后公开"),
                        ],
                        max_length=7,
                        verbose_name="事项",
                    ),
                ),
                ("given", models.BooleanField(verbose_name="同意")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="办理账户",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="consents", to="sanctions.rewardcase"
                    ),
                ),
                (
                    "paper",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sanctions.rewardpaper",
                    ),
                ),
            ],
            options={
                "verbose_name": "激励的同意",
                "verbose_name_plural": "激励的同意",
                "db_table_comment": "append-only: each yes and no of the person about a reward",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RewardProgramme",
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
                    "code",
                    models.CharField(
                        help_text="如 JL-2026-01，同一编码只有一版现行", max_length=30, verbose_name="编码"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="名称")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("1", "信用状况良好的行政相对人"),
                            ("2", "诚信道德模范"),
                            ("3", "优秀志愿者"),
                            ("4", "社会组织推荐的诚信会员"),
                            ("5", "新闻媒体挖掘的诚信主体"),
                        ],
                        max_length=1,
                        verbose_name="来源",
                    ),
                ),
                (
                    "term_months",
                    models.PositiveSmallIntegerField(
                        help_text="自授予荣誉之日起；文件没有规定的为 36 个月", verbose_name="激励期（月）"
                    ),
                ),
                (
                    "term_source",
                    models.CharField(
                        help_text="规定期限的文件和条款；没有规定的写明本站设定",
                        max_length=200,
                        verbose_name="激励期的来源",
                    ),
                ),
                (
                    "shown",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[("name", "姓名（只留姓氏）"), ("honour", "荣誉名称"), ("year", "年度")],
                            max_length=6,
                        ),
                        size=None,
                        verbose_name="公开的内容",
                    ),
                ),
                (
                    "no_condition",
                    models.CharField(
                        default="本项激励只提供便利，不是取得法定权利、许可、待遇或者救济的条件；没有激励、不同意或者退出激励的，依法应得的一样不少。",
                        help_text="须与统一文本一致，随激励告知本人",
                        max_length=120,
                        verbose_name="非前提声明",
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="启用日期")),
                (
                    "valid_to",
                    models.DateField(
                        blank=True, help_text="自这一天起不再推荐；已授予的到期为止", null=True, verbose_name="停用日期"
                    ),
                ),
                (
                    "basis",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalogue.article",
                        verbose_name="依据",
                    ),
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
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalogue.item",
                        verbose_name="记入条目",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reward_programmes",
                        to="accounts.organisation",
                        verbose_name="推荐、认定单位",
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
                "verbose_name": "激励项目",
                "verbose_name_plural": "激励项目",
                "ordering": ["organisation", "code", "-valid_from", "-id"],
                "permissions": [
                    ("propose_rewardprogramme", "提出激励项目"),
                    ("confirm_rewardprogramme", "确认激励项目"),
                ],
                "abstract": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.AddField(
            model_name="rewardcase",
            name="programme",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cases",
                to="sanctions.rewardprogramme",
                verbose_name="激励项目",
            ),
        ),
        migrations.CreateModel(
            name="RewardBenefit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("green", "绿色通道"),
                            ("later", "容缺受理"),
                            ("first", "优先办理"),
                            ("consider", "优先考虑"),
                            ("ease", "便利服务"),
                        ],
                        max_length=8,
                        verbose_name="激励措施",
                    ),
                ),
                (
                    "text",
                    models.CharField(
                        help_text="在哪件事上、怎么便利；不得写成办事的条件", max_length=200, verbose_name="内容"
                    ),
                ),
                (
                    "basis",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalogue.article",
                        verbose_name="依据",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                        verbose_name="实施单位",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="benefits",
                        to="sanctions.rewardprogramme",
                        verbose_name="激励项目",
                    ),
                ),
            ],
            options={
                "verbose_name": "激励措施",
                "verbose_name_plural": "激励措施",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RewardStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "deed",
                    models.CharField(
                        choices=[
                            ("asked", "征求本人意见"),
                            ("agreed", "本人同意"),
                            ("declined", "本人不同意"),
                            ("lapsed", "逾期未答复，视为不同意"),
                            ("notice", "决定公示"),
                            ("granted", "决定授予"),
                            ("returned", "决定不予授予"),
                            ("commented", "本人意见"),
                            ("published", "公开"),
                            ("hidden", "停止公开"),
                            ("suspended", "核对发现冲突，暂停"),
                            ("explained", "本人说明"),
                            ("resumed", "决定恢复"),
                            ("revoked", "决定撤销"),
                            ("expired", "到期"),
                            ("withdrawn", "本人退出"),
                        ],
                        max_length=10,
                        verbose_name="办理",
                    ),
                ),
                ("text", models.CharField(blank=True, max_length=500, verbose_name="说明")),
                ("until", models.DateField(null=True, verbose_name="期限")),
                ("document_no", models.CharField(blank=True, max_length=100, verbose_name="文书号")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
                (
                    "batch",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="records.batch",
                        verbose_name="记入的批次",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="办理人",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="sanctions.rewardcase"
                    ),
                ),
                (
                    "paper",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sanctions.rewardpaper",
                    ),
                ),
            ],
            options={
                "verbose_name": "激励办理的经过",
                "verbose_name_plural": "激励办理的经过",
                "db_table_comment": "append-only: what was done in a reward case, by whom and why",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RewardHit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("record_id", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("listing", "严重失信主体名单"),
                            ("court", "失信被执行人"),
                            ("adverse", "一般、严重失信记录"),
                        ],
                        max_length=8,
                        verbose_name="类别",
                    ),
                ),
                ("found_at", models.DateTimeField(verbose_name="发现时间")),
                ("gone_at", models.DateTimeField(null=True, verbose_name="消失时间")),
                ("set_aside", models.BooleanField(default=False, verbose_name="决定不影响激励")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="hits", to="sanctions.rewardcase"
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalogue.item",
                        verbose_name="目录条目",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
            ],
            options={
                "verbose_name": "冲突核对结果",
                "verbose_name_plural": "冲突核对结果",
                "db_table_comment": "append-only, written by the database: records found to stand in the way of a reward",
                "ordering": ["id"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("case", "record_id"), name="rewardhit_once_per_record")
                ],
            },
        ),
        migrations.CreateModel(
            name="RewardObjection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=500, verbose_name="意见")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
                ("answer", models.CharField(blank=True, max_length=500, verbose_name="答复")),
                ("answered_at", models.DateTimeField(null=True, verbose_name="答复时间")),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="答复人",
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="objections",
                        to="sanctions.rewardcase",
                    ),
                ),
            ],
            options={
                "verbose_name": "公示意见",
                "verbose_name_plural": "公示意见",
                "ordering": ["id"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True),
                        name="rewardobjection_says_something",
                        violation_error_message="请写下您的意见。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", ""), ("answered_at__isnull", True), ("answered_by__isnull", True)),
                            models.Q(
                                models.Q(("answer", ""), _negated=True),
                                ("answered_at__isnull", False),
                                ("answered_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="rewardobjection_answered_by_somebody",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="rewardpaper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checked_by__isnull", True),
                    models.Q(("checked_by", models.F("entered_by")), _negated=True),
                    _connector="OR",
                ),
                name="rewardpaper_takes_two_hands",
                violation_error_message="须由另一名工作人员复核。",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardpaper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("checked_by__isnull", True), ("state", "entered")),
                    models.Q(("checked_by__isnull", False), ("state__in", ["approved", "returned"])),
                    _connector="OR",
                ),
                name="rewardpaper_is_checked_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardpaper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "returned"), _negated=True),
                    models.Q(("note", ""), _negated=True),
                    _connector="OR",
                ),
                name="rewardpaper_returned_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardpaper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("agrees", True), ("deed", "answer")),
                    models.Q(("notice", False), ("publish", False)),
                    _connector="OR",
                ),
                name="rewardpaper_agrees_first",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(("scope__in", ["reward", "notice", "publish"])), name="rewardconsent_scope_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardprogramme",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confirmed_by__isnull", True),
                    models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="rewardprogramme_confirmed_by_another",
                violation_error_message="提出人不能确认自己提出的内容，须由另一名工作人员确认。",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardprogramme",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at__isnull", True), ("state__in", ["draft", "withdrawn"])),
                    models.Q(("confirmed_at__isnull", False), ("state__in", ["in_force", "superseded"])),
                    _connector="OR",
                ),
                name="rewardprogramme_in_force_means_confirmed",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardprogramme",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "withdrawn"), _negated=True),
                    models.Q(("withdrawn_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="rewardprogramme_withdrawn_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardprogramme",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("state", "in_force")),
                expressions=[
                    ("code", "="),
                    (
                        models.Func(
                            models.F("valid_from"), models.F("valid_to"), models.Value("[)"), function="daterange"
                        ),
                        "&&",
                    ),
                ],
                name="rewardprogramme_in_force_do_not_overlap",
                violation_error_message="同一编码的现行激励项目有效期间不能重叠。",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardprogramme",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("code", ""), _negated=True),
                    models.Q(("name", ""), _negated=True),
                    models.Q(("term_source", ""), _negated=True),
                ),
                name="rewardprogramme_says_what_and_whence",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardprogramme",
            constraint=models.CheckConstraint(
                condition=models.Q(("term_months__gte", 1), ("term_months__lte", 60)),
                name="rewardprogramme_has_a_term",
                violation_error_message="激励期为 1 至 60 个月。",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardprogramme",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["1", "2", "3", "4", "5"])),
                name="rewardprogramme_source_is_one_of_five",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardprogramme",
            constraint=models.CheckConstraint(
                condition=models.Q(("shown__contained_by", ["name", "honour", "year"]), ("shown__len__gte", 1)),
                name="rewardprogramme_shows_no_more_than_allowed",
                violation_error_message="只能公开姓名、荣誉名称、年度。",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardprogramme",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "no_condition",
                        "本项激励只提供便利，不是取得法定权利、许可、待遇或者救济的条件；没有激励、不同意或者退出激励的，依法应得的一样不少。",
                    )
                ),
                name="rewardprogramme_is_no_condition",
                violation_error_message="须声明：激励不是取得法定权利、许可、待遇或者救济的条件。请用统一文本。",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardprogramme",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True), ("valid_to__gte", models.F("valid_from")), _connector="OR"
                ),
                name="rewardprogramme_ends_after_it_begins",
                violation_error_message="停用日期不能早于启用日期。",
            ),
        ),
        migrations.AddIndex(
            model_name="rewardcase",
            index=models.Index(fields=["person", "-id"], name="rewardcase_by_person"),
        ),
        migrations.AddIndex(
            model_name="rewardcase",
            index=models.Index(fields=["organisation", "state"], name="rewardcase_by_organisation"),
        ),
        migrations.AddIndex(
            model_name="rewardcase",
            index=models.Index(
                condition=models.Q(("public_to__isnull", False)), fields=["public_to"], name="rewardcase_public"
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardcase",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["ended", "returned", "declined"]), _negated=True),
                fields=("programme", "person"),
                name="rewardcase_once_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "declined"),
                    models.Q(
                        models.Q(("honour", ""), _negated=True),
                        models.Q(("award_no", ""), _negated=True),
                        ("award_on__isnull", False),
                        ("year__regex", "^\\d{4}$"),
                    ),
                    _connector="OR",
                ),
                name="rewardcase_says_what_for",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "declined"), _negated=True),
                    models.Q(
                        ("answer_by__isnull", True),
                        ("award_no", ""),
                        ("award_on__isnull", True),
                        ("honour", ""),
                        ("reason", ""),
                        ("recommended_by", ""),
                        ("year", ""),
                    ),
                    _connector="OR",
                ),
                name="rewardcase_keeps_nothing_but_the_refusal",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("nominated_by")), _negated=True),
                    _connector="OR",
                ),
                name="rewardcase_decided_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["granted", "published", "suspended"]), _negated=True),
                    models.Q(
                        ("decided_by__isnull", False),
                        ("valid_to__isnull", False),
                        models.Q(("record_no", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="rewardcase_granted_stands_in_the_register",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("public_to__isnull", True), ("state__in", ["notice", "published"]), _connector="OR"
                ),
                name="rewardcase_public_only_in_its_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardcase",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("end_kind__in", ["expired", "withdrawn", "revoked"]), ("state", "ended")),
                    models.Q(models.Q(("state", "ended"), _negated=True), ("end_kind", "")),
                    _connector="OR",
                ),
                name="rewardcase_ends_in_a_known_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardbenefit",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="rewardbenefit_says_what"
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardbenefit",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["green", "later", "first", "consider", "ease"])),
                name="rewardbenefit_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardbenefit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "text__regex",
                        "(仅限|只限|必须具备|必须取得|前置条件|作为.{0,10}(条件|前提)|不予(受理|办理|许可)|不得(申请|办理)|方可(申请|办理|享受))",
                    ),
                    _negated=True,
                ),
                name="rewardbenefit_is_no_condition",
                violation_error_message="激励措施不能写成取得法定权利、许可、待遇的条件（如“仅限”“方可申请”“不予受理”）。请改写成便利。",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("deed__in", ["returned", "commented", "explained", "resumed", "revoked"]), _negated=True),
                    models.Q(("text", ""), _negated=True),
                    _connector="OR",
                ),
                name="rewardstep_says_why",
                violation_error_message="请写明理由。",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("deed__in", ["asked", "declined", "lapsed"]), _negated=True),
                    ("text", ""),
                    _connector="OR",
                ),
                name="rewardstep_refusal_has_no_words",
            ),
        ),
    ]
