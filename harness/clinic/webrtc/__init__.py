"""Calls over WebRTC: rooms, the peers in them, and the tracks that are passed on and recorded as they came."""
