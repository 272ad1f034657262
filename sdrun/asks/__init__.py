"""``sdrun ask``: does self-distillation help this model on these data, within a budget of time?"""
