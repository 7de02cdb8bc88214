"""How forms look: our own field template, so that every label, hint and error is accessible."""

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Django's renderer over the project's templates."""

    form_template_name = "django/forms/form.html"
    field_template_name = "django/forms/field.html"
