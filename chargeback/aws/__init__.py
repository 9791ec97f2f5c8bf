"""How AWS is spoken to, whatever is asked: sessions, its reasons for refusing, objects in S3."""
