"""The words of the files of a suite: what a case, a message, a call may say."""

from __future__ import annotations

VERSION = 1

CASE_KEYS = (
    *("wiretape", "name", "recorded", "first_recorded", "attributed", "incomplete"),
    *("request", "response", "messages", "calls", "noise"),
)
BODY_LISTS = ("body_multipart", "body_events", "body_lines", "body_grpc")
BODY_KEYS = ("body", "body_json", "body_text", "body_form", *BODY_LISTS, "body_base64", "body_file")
BODY_EXTRAS = ("body_style", "body_raw", "body_raw_file")
REQUEST_KEYS = ("method", "path", "version", "headers", *BODY_KEYS, *BODY_EXTRAS, "trailers")
MESSAGES = ("send", "receive", "send_close", "receive_close")
MESSAGE_KEYS = (*MESSAGES, "reason", "style")
PART_FILE = "file"  # a part's value that is kept beside the case
RESPONSE_KEYS = ("status", "reason", "headers", *BODY_KEYS, *BODY_EXTRAS, "trailers", "unfinished")
SUITE_KEYS = ("wiretape", "traced", "facts", "calls", "noise")
SESSION_KEYS = ("wiretape", "calls")
CALL_WORDS = ("attributed", "ambiguous")  # what a call may say besides its codec's fields
