FLASK_APP=wsgi:app
APP_ENV=development
