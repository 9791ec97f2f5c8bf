"""Who may look: sign-in with an OpenID Connect provider, where the server's owner set one up."""

from __future__ import annotations

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from chargeback.errors import Problem


def require() -> None:
    """Stops the run with a sign-in button for whoever has to sign in and has not.

    Raises:
        Problem: there is a secrets file and it can't be read: nobody gets in by mistake.
    """
    if not _is_configured():
        return
    if not st.user.is_logged_in:
        st.header("Bedrock chargeback", anchor=False)
        st.button("Sign in", on_click=st.login, type="primary", icon=":material/login:")
        st.stop()
    with st.sidebar:
        st.button("Sign out", on_click=st.logout, type="tertiary", icon=":material/logout:")


def _is_configured() -> bool:
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError as error:
        if error.error_id == "no-secrets-found":
            return False
        raise Problem(
            "The server's sign-in settings can't be read.",
            "Nobody can look at the bill until they can.",
            "Correct .streamlit/secrets.toml on the server and start it again.",
        ) from error
