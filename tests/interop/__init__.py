"""Peers that share no code with quicchat: an aioquic client and server, written from PROTOCOL.md.

What differs between them and quicchat is a fault of quicchat or a hole in the document.
"""
