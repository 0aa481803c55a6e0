"""Canaries in media: payload to picture and sound, the clips that carry them, and the reader of any media.

`video` and `audio` hold one signal each, both ways; `clips` makes the WebM that an API driver uploads;
`reading` finds every canary in the bytes that a target gives back.
"""
