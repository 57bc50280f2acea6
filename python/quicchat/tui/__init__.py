"""The full screen of ``quicchat chat --full``: rooms, messages and members side by side.

What it knows of rooms and people is in modules that know no terminal (``_room_log``, ``_pane``,
``_panes``); what they look like is in ``_layout``; the rest stands on textual.
"""
